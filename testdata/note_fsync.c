/* Preloaded behind kill_on_fsync.c by its own test: stands for the real fsync and fdatasync, and appends a line
 * (function, file name) to $STAUNCH_NOTE_SYNCS for each call that reaches it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int note(const char *function, int fd) {
  const char *file = getenv("STAUNCH_NOTE_SYNCS");
  char link[64], path[4096];
  if (file == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return -1;
  path[length] = '\0';
  const char *name = strrchr(path, '/');
  FILE *notes = fopen(file, "a");
  if (notes == NULL) return -1;
  fprintf(notes, "%s %s\n", function, name == NULL ? path : name + 1);
  return fclose(notes);
}

int fsync(int fd) { return note("fsync", fd); }
int fdatasync(int fd) { return note("fdatasync", fd); }

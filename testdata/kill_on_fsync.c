/* Preloaded into the binary under test: kills it at the Nth fsync or fdatasync of one file, so that a test can stop it
 * at every journal record in turn. Settings, from the environment:
 *   STAUNCH_KILL_PATH   the file: what its path ends with
 *   STAUNCH_KILL_AT     N, from 1; fsync and fdatasync count together
 *   STAUNCH_KILL_WHEN   "before" the sync, or "after" it has returned (the default)
 * Linux with glibc or musl; built by tests/it/harness/shim.rs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

/* Whether the file behind fd is the one. */
static int chosen(int fd) {
  const char *end = getenv("STAUNCH_KILL_PATH");
  char link[64], path[4096];
  if (end == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  size_t wanted = strlen(end);
  if (length < 0 || (size_t)length < wanted) return 0;
  return memcmp(path + length - wanted, end, wanted) == 0;
}

static int synced(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  const char *at = getenv("STAUNCH_KILL_AT"), *when = getenv("STAUNCH_KILL_WHEN");
  int now = chosen(fd) && at != NULL && atomic_fetch_add(&calls, 1) + 1 == atol(at);
  if (now && when != NULL && strcmp(when, "before") == 0) kill(getpid(), SIGKILL);
  int result = real(fd);
  if (now) kill(getpid(), SIGKILL);
  return result;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

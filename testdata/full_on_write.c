/* Preloaded into the binary under test: from the Nth write to one file on, the disk is full: for that file, or for every file.
 * The Nth write itself comes half through, as it does on a real disk. Settings, from the environment:
 *   STAUNCH_FULL_PATH   the file: what its path ends with
 *   STAUNCH_FULL_AT     N, from 1; write, pwrite and writev count together
 *   STAUNCH_FULL_ALL    set: from then on every regular file is full, but for what the program says on its standard streams
 * Linux with glibc or musl; built by tests/it/harness/shim.rs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static atomic_int full;

/* Whether the file behind fd is the one. */
static int chosen(int fd) {
  const char *end = getenv("STAUNCH_FULL_PATH");
  char link[64], path[4096];
  if (end == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  size_t wanted = strlen(end);
  if (length < 0 || (size_t)length < wanted) return 0;
  return memcmp(path + length - wanted, end, wanted) == 0;
}

static int regular(int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/* 0: it goes on; 1: half of it does; 2: nothing does. */
static int comes(int fd) {
  const char *at = getenv("STAUNCH_FULL_AT");
  if (at == NULL) return 0;
  if (chosen(fd)) {
    long now = atomic_fetch_add(&calls, 1) + 1;
    if (now == atol(at)) {
      atomic_store(&full, 1);
      return 1;
    }
    if (now > atol(at)) return 2;
  }
  return atomic_load(&full) && fd > 2 && getenv("STAUNCH_FULL_ALL") != NULL && regular(fd) ? 2 : 0;
}

static ssize_t no_room(void) {
  errno = ENOSPC;
  return -1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  int how = comes(fd);
  if (how == 2 || (how == 1 && count < 2)) return no_room();
  return real(fd, bytes, how == 1 ? count / 2 : count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t) =
      (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return comes(fd) ? no_room() : real(fd, bytes, count, at);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  ssize_t (*real)(int, const struct iovec *, int) = (ssize_t (*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  return comes(fd) ? no_room() : real(fd, pieces, count);
}

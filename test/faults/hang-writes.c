/*
 * A disk that hangs, for LD_PRELOAD. For tests only: while the file that SIGILLUM_HANG_WRITES names exists, every write
 * to a file that was opened to be durable (O_DSYNC) waits.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static void wait_for_disk(int file) {
  const char *path = getenv("SIGILLUM_HANG_WRITES");
  int flags = fcntl(file, F_GETFL);
  if (!path || flags < 0 || (flags & O_DSYNC) != O_DSYNC) return;
  while (access(path, F_OK) == 0) usleep(10000);
}

ssize_t write(int file, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  wait_for_disk(file);
  return real(file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  wait_for_disk(file);
  return real(file, bytes, length, offset);
}

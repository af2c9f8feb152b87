/*
 * Loaded before libc: a wall clock that stands elsewhere, and a disk that hangs. Both are switched while the process runs.
 *   SIGILLUM_CLOCK  a file with a number of seconds that is added to CLOCK_REALTIME
 *   SIGILLUM_HANG   a file; while it is there, writes to files whose path holds its first line do not come back
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Raw system calls: nothing here may come back to itself. */
static ssize_t read_text(const char *variable, char *text, size_t size) {
  const char *path = getenv(variable);
  if (path == NULL) return -1;
  int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) return -1;
  ssize_t length = syscall(SYS_read, file, text, size - 1);
  syscall(SYS_close, file);
  text[length < 0 ? 0 : length] = '\0';
  text[strcspn(text, "\n")] = '\0';
  return length;
}

static long clock_offset(void) {
  char text[32];
  return read_text("SIGILLUM_CLOCK", text, sizeof text) > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, id, time);
  if (result == 0 && id == CLOCK_REALTIME) time->tv_sec += clock_offset();
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int result = (int)syscall(SYS_gettimeofday, time, zone);
  if (result == 0) time->tv_sec += clock_offset();
  return result;
}

static void hang(int file) {
  char part[256], link[64], path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  while (read_text("SIGILLUM_HANG", part, sizeof part) > 0) {
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = '\0';
    if (strstr(path, part) == NULL) return;
    struct timespec moment = {0, 20 * 1000 * 1000};
    syscall(SYS_nanosleep, &moment, NULL);
  }
}

ssize_t write(int file, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "write");
  hang(file);
  return real(file, bytes, size);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
  hang(file);
  return real(file, bytes, size, offset);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "writev");
  hang(file);
  return real(file, parts, count);
}

/*
 * A PKCS #11 module in front of another one that breaks on demand. For tests only.
 *
 *   SIGILLUM_SHIM_MODULE  the real module
 *   SIGILLUM_SHIM_FAULTS  control file; <file>.<pid> goes before it. Looked at before every call, so faults can be
 *                         switched while processes run; replace it by rename. With `takes` in it it is looked at each
 *                         10 ms only: else looking is a tenth of what is measured. One rule a line:
 *                           FUNCTION|* ACTION [ARGUMENT] [after=N] [count=N] [mech=N]
 *                         actions: return CODE, delay MILLISECONDS, hang, abort, segv, corrupt, zero,
 *                         takes MILLISECONDS (C_Sign: so long in all, what the real module computes included)
 *                         after: so many calls pass first; count: so many calls are hit (default: all)
 *                         mech: only operations of that mechanism (C_Sign, C_Verify)
 *   SIGILLUM_SHIM_TRACE   file that gets a line "PID WHAT SESSIONS" (open ones of the process) for each initialize
 *                         ("initialize-locking" with CKF_OS_LOCKING_OK), login, logout, finalize and "fault" (return)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11-declarations.h"

enum { MAX_RULES = 64, MAX_SESSIONS = 4096 };

typedef struct {
  char function[32];
  char action[16];
  unsigned long argument;
  long after;
  long count;
  unsigned long mechanism;
  long calls;
} rule;

static CK_FUNCTION_LIST shim;
static CK_FUNCTION_LIST *real;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static rule rules[MAX_RULES];
static int rule_count;
static struct stat control_stat;
static int control_known;
static unsigned long mechanisms[MAX_SESSIONS];
static long open_sessions;
static int is_measured;
static long long next_look_ms;

#define REAL(name, type) ((type)real->functions[AT_##name])

static void trace(const char *what) {
  const char *path = getenv("SIGILLUM_SHIM_TRACE");
  char line[96];
  int length, file;
  if (!path) return;
  file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0) return;
  length = snprintf(line, sizeof line, "%d %s %ld\n", (int)getpid(), what, open_sessions);
  if (write(file, line, (size_t)length) != length) abort();
  close(file);
}

static void parse_rule(char *line) {
  rule *made = &rules[rule_count];
  char *save = NULL, *word;
  memset(made, 0, sizeof *made);
  made->count = -1;
  made->mechanism = ~0UL;
  if (!(word = strtok_r(line, " \n", &save)) || *word == '#') return;
  snprintf(made->function, sizeof made->function, "%s", word);
  if (!(word = strtok_r(NULL, " \n", &save))) return;
  snprintf(made->action, sizeof made->action, "%s", word);
  while ((word = strtok_r(NULL, " \n", &save))) {
    if (!strncmp(word, "after=", 6)) made->after = strtol(word + 6, NULL, 0);
    else if (!strncmp(word, "count=", 6)) made->count = strtol(word + 6, NULL, 0);
    else if (!strncmp(word, "mech=", 5)) made->mechanism = strtoul(word + 5, NULL, 0);
    else made->argument = strtoul(word, NULL, 0);
  }
  if (!strcmp(made->action, "takes")) is_measured = 1;
  rule_count += 1;
}

static int same_file(const struct stat *a, const struct stat *b) {
  return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Reads the control file again when it is another one; a new file starts all counts anew. */
static void refresh(void) {
  const char *base = getenv("SIGILLUM_SHIM_FAULTS");
  char own[4200], line[256];
  const char *path = own;
  struct stat now;
  FILE *file;
  if (!base) return;
  if (is_measured) {
    struct timespec clock;
    long long now_ms;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &clock);
    now_ms = clock.tv_sec * 1000LL + clock.tv_nsec / 1000000L;
    if (now_ms < next_look_ms) return;
    next_look_ms = now_ms + 10;
  }
  snprintf(own, sizeof own, "%s.%d", base, (int)getpid());
  if (stat(own, &now) != 0) {
    path = base;
    if (stat(base, &now) != 0) {
      rule_count = 0;
      control_known = 0;
      is_measured = 0;
      return;
    }
  }
  if (control_known && same_file(&now, &control_stat)) return;
  control_stat = now;
  control_known = 1;
  rule_count = 0;
  is_measured = 0;
  if (!(file = fopen(path, "r"))) return;
  while (rule_count < MAX_RULES && fgets(line, sizeof line, file)) parse_rule(line);
  fclose(file);
}

enum { PASS = 0, RETURN, CORRUPT, ZERO, TAKES };

/* Which fault this call meets; latency, hang and death happen right here. */
static int meet_fault(const char *function, unsigned long mechanism, CK_RV *code) {
  int index, met = PASS;
  unsigned long delay = 0;
  pthread_mutex_lock(&lock);
  refresh();
  for (index = 0; index < rule_count; index++) {
    rule *one = &rules[index];
    if (strcmp(one->function, "*") && strcmp(one->function, function)) continue;
    if (one->mechanism != ~0UL && one->mechanism != mechanism) continue;
    one->calls += 1;
    if (one->calls <= one->after) continue;
    if (one->count >= 0 && one->calls > one->after + one->count) continue;
    if (!strcmp(one->action, "delay")) delay += one->argument;
    else if (!strcmp(one->action, "hang")) delay = ~0UL;
    else if (!strcmp(one->action, "abort")) abort();
    else if (!strcmp(one->action, "segv")) raise(SIGSEGV);
    else if (!strcmp(one->action, "corrupt")) met = CORRUPT;
    else if (!strcmp(one->action, "zero")) met = ZERO;
    else if (!strcmp(one->action, "takes")) {
      met = TAKES;
      *code = one->argument;
    } else if (!strcmp(one->action, "return")) {
      met = RETURN;
      *code = one->argument;
      trace("fault");
    }
  }
  pthread_mutex_unlock(&lock);
  if (delay == ~0UL)
    for (;;) pause();
  if (delay > 0) {
    struct timespec time = {(time_t)(delay / 1000), (long)(delay % 1000) * 1000000L};
    while (nanosleep(&time, &time) != 0) continue;
  }
  return met;
}

static void sleep_until(struct timespec begin, unsigned long milliseconds) {
  long nanoseconds = begin.tv_nsec + (long)(milliseconds % 1000) * 1000000L;
  struct timespec end = {begin.tv_sec + (time_t)(milliseconds / 1000) + nanoseconds / 1000000000L,
                         nanoseconds % 1000000000L};
  /* Else the kernel wakes up to 50 microseconds late, to save power. */
  prctl(PR_SET_TIMERSLACK, 1UL);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0) continue;
}

#define FAULT(name, mechanism)                                       \
  do {                                                               \
    CK_RV code = CKR_GENERAL_ERROR;                                  \
    if (meet_fault(#name, mechanism, &code) == RETURN) return code;  \
  } while (0)

static unsigned long mechanism_of(CK_SESSION_HANDLE session) { return mechanisms[session % MAX_SESSIONS]; }

static CK_RV shim_Initialize(void *arguments) {
  CK_RV result;
  /* CK_C_INITIALIZE_ARGS: four mutex callbacks, flags, reserved. */
  CK_FLAGS flags = arguments ? *(CK_FLAGS *)((char *)arguments + 4 * sizeof(void *)) : 0;
  FAULT(C_Initialize, 0);
  result = REAL(C_Initialize, CK_RV(*)(void *))(arguments);
  trace(flags & CKF_OS_LOCKING_OK ? "initialize-locking" : "initialize");
  return result;
}

static CK_RV shim_Finalize(void *reserved) {
  trace("finalize");
  return REAL(C_Finalize, CK_RV(*)(void *))(reserved);
}

static CK_RV shim_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, void *notify, CK_ULONG *session) {
  CK_RV result;
  FAULT(C_OpenSession, 0);
  result = REAL(C_OpenSession, CK_RV(*)(CK_SLOT_ID, CK_FLAGS, void *, void *, CK_ULONG *))(slot, flags, application,
                                                                                         notify, session);
  if (result == CKR_OK) __sync_fetch_and_add(&open_sessions, 1);
  return result;
}

static CK_RV shim_CloseSession(CK_SESSION_HANDLE session) {
  CK_RV result = REAL(C_CloseSession, CK_RV(*)(CK_SESSION_HANDLE))(session);
  if (result == CKR_OK) __sync_fetch_and_sub(&open_sessions, 1);
  return result;
}

static CK_RV shim_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG length) {
  trace("login");
  FAULT(C_Login, 0);
  return REAL(C_Login, CK_RV(*)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_BYTE *, CK_ULONG))(session, user, pin, length);
}

static CK_RV shim_Logout(CK_SESSION_HANDLE session) {
  trace("logout");
  return REAL(C_Logout, CK_RV(*)(CK_SESSION_HANDLE))(session);
}

static CK_RV shim_CreateObject(CK_SESSION_HANDLE session, void *template, CK_ULONG count, CK_OBJECT_HANDLE *object) {
  FAULT(C_CreateObject, 0);
  return REAL(C_CreateObject, CK_RV(*)(CK_SESSION_HANDLE, void *, CK_ULONG, CK_OBJECT_HANDLE *))(session, template, count,
                                                                                               object);
}

static CK_RV shim_FindObjectsInit(CK_SESSION_HANDLE session, void *template, CK_ULONG count) {
  FAULT(C_FindObjectsInit, 0);
  return REAL(C_FindObjectsInit, CK_RV(*)(CK_SESSION_HANDLE, void *, CK_ULONG))(session, template, count);
}

static CK_RV shim_FindObjects(CK_SESSION_HANDLE session, CK_ULONG *objects, CK_ULONG most, CK_ULONG *count) {
  FAULT(C_FindObjects, 0);
  return REAL(C_FindObjects, CK_RV(*)(CK_SESSION_HANDLE, CK_ULONG *, CK_ULONG, CK_ULONG *))(session, objects, most,
                                                                                          count);
}

static CK_RV shim_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
  mechanisms[session % MAX_SESSIONS] = mechanism->mechanism;
  FAULT(C_SignInit, mechanism->mechanism);
  return REAL(C_SignInit, CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE))(session, mechanism, key);
}

static CK_RV shim_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG *size) {
  CK_RV code = CKR_GENERAL_ERROR, result;
  struct timespec begin;
  int met;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  met = signature ? meet_fault("C_Sign", mechanism_of(session), &code) : PASS;
  if (met == RETURN) return code;
  result = REAL(C_Sign, CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *))(session, data, length,
                                                                                               signature, size);
  if (met == TAKES) sleep_until(begin, code);
  if (result == CKR_OK && met == CORRUPT) signature[*size / 2] ^= 0x40;
  if (result == CKR_OK && met == ZERO) memset(signature, 0, *size);
  return result;
}

static CK_RV shim_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
  mechanisms[session % MAX_SESSIONS] = mechanism->mechanism;
  FAULT(C_VerifyInit, mechanism->mechanism);
  return REAL(C_VerifyInit, CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE))(session, mechanism, key);
}

static CK_RV shim_Verify(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG size) {
  FAULT(C_Verify, mechanism_of(session));
  return REAL(C_Verify, CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG))(session, data, length,
                                                                                             signature, size);
}

#define PUT(name) shim.functions[AT_C_##name] = (CK_FUNCTION)shim_##name

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
  const char *path = getenv("SIGILLUM_SHIM_MODULE");
  /* The real module keeps its own libcrypto and not Node's: see packages/pkcs11/README.md. */
  void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
  CK_RV (*get)(CK_FUNCTION_LIST **) = library ? (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList") : NULL;
  if (!get || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  shim = *real;
  shim.functions[AT_C_GetFunctionList] = (CK_FUNCTION)C_GetFunctionList;
  PUT(Initialize);
  PUT(Finalize);
  PUT(OpenSession);
  PUT(CloseSession);
  PUT(Login);
  PUT(Logout);
  PUT(CreateObject);
  PUT(FindObjectsInit);
  PUT(FindObjects);
  PUT(SignInit);
  PUT(Sign);
  PUT(VerifyInit);
  PUT(Verify);
  *list = &shim;
  return CKR_OK;
}

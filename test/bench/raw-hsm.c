/*
 * The raw rate of a PKCS#11 module: how often its C_Sign with CKM_ECDSA answers, from one thread and from several, each
 * with a session of its own, on a key that lies in the token. Prints one number: signatures per second.
 *
 * raw-hsm MODULE TOKEN_LABEL PIN_FILE KEY_LABEL THREADS SECONDS
 *
 * The few declarations needed stand here (PKCS#11 v2.40, OASIS), so that no header is to be installed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long CK_ULONG;
typedef unsigned char CK_BYTE;
typedef struct { CK_ULONG mechanism; void *parameter; CK_ULONG parameter_length; } CK_MECHANISM;
typedef struct { CK_ULONG type; void *value; CK_ULONG length; } CK_ATTRIBUTE;
typedef struct { void *create, *destroy, *lock, *unlock; CK_ULONG flags; void *reserved; } CK_C_INITIALIZE_ARGS;

enum { OS_LOCKING_OK = 2, SERIAL_SESSION = 4, USER = 1, CKM_ECDSA = 0x1041, CKA_CLASS = 0, CKA_LABEL = 3, PRIVATE_KEY = 3, MAX_THREADS = 16 };

static void *module;
static CK_ULONG slot;
static CK_ULONG key;
static double seconds;

static void *find(const char *name) {
  void *function = dlsym(module, name);
  if (function == NULL) { fprintf(stderr, "the module has no %s\n", name); exit(1); }
  return function;
}

static void check(const char *what, CK_ULONG result) {
  if (result != 0) { fprintf(stderr, "%s answered 0x%lx\n", what, result); exit(1); }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static CK_ULONG open_session(void) {
  CK_ULONG (*open)(CK_ULONG, CK_ULONG, void *, void *, CK_ULONG *) = find("C_OpenSession");
  CK_ULONG session;
  check("C_OpenSession", open(slot, SERIAL_SESSION, NULL, NULL, &session));
  return session;
}

static void *sign_for_a_while(void *count) {
  CK_ULONG (*init)(CK_ULONG, CK_MECHANISM *, CK_ULONG) = find("C_SignInit");
  CK_ULONG (*sign)(CK_ULONG, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *) = find("C_Sign");
  CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
  CK_ULONG session = open_session();
  CK_BYTE digest[32] = {1}, signature[64];
  double end = now() + seconds;
  long signatures = 0;
  for (; now() < end; signatures++) {
    CK_ULONG length = sizeof signature;
    memcpy(digest, &signatures, sizeof signatures);
    check("C_SignInit", init(session, &mechanism, key));
    check("C_Sign", sign(session, digest, sizeof digest, signature, &length));
  }
  *(long *)count = signatures;
  return NULL;
}

static void find_slot(const char *label) {
  CK_ULONG (*list)(CK_BYTE, CK_ULONG *, CK_ULONG *) = find("C_GetSlotList");
  CK_ULONG (*describe)(CK_ULONG, void *) = find("C_GetTokenInfo");
  CK_ULONG slots[64], count = 64;
  char padded[33];
  snprintf(padded, sizeof padded, "%-32s", label);
  check("C_GetSlotList", list(1, slots, &count));
  for (CK_ULONG index = 0; index < count; index++) {
    char information[512];
    /* CK_TOKEN_INFO begins with the label, 32 bytes padded with spaces. */
    if (describe(slots[index], information) == 0 && memcmp(information, padded, 32) == 0) { slot = slots[index]; return; }
  }
  fprintf(stderr, "there is no token %s\n", label);
  exit(1);
}

static void find_key(CK_ULONG session, char *label) {
  CK_ULONG (*begin)(CK_ULONG, CK_ATTRIBUTE *, CK_ULONG) = find("C_FindObjectsInit");
  CK_ULONG (*next)(CK_ULONG, CK_ULONG *, CK_ULONG, CK_ULONG *) = find("C_FindObjects");
  CK_ULONG (*end)(CK_ULONG) = find("C_FindObjectsFinal");
  CK_ULONG class = PRIVATE_KEY, found = 0;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, strlen(label)}};
  check("C_FindObjectsInit", begin(session, template, 2));
  check("C_FindObjects", next(session, &key, 1, &found));
  check("C_FindObjectsFinal", end(session));
  if (found != 1) { fprintf(stderr, "there is no key %s\n", label); exit(1); }
}

int main(int count, char **arguments) {
  if (count != 7) { fprintf(stderr, "usage: raw-hsm MODULE TOKEN_LABEL PIN_FILE KEY_LABEL THREADS SECONDS\n"); return 2; }
  int threads = atoi(arguments[5]);
  seconds = atof(arguments[6]);
  if (threads < 1 || threads > MAX_THREADS) return 2;
  module = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) { fprintf(stderr, "%s\n", dlerror()); return 1; }
  CK_ULONG (*initialize)(void *) = find("C_Initialize");
  CK_ULONG (*login)(CK_ULONG, CK_ULONG, CK_BYTE *, CK_ULONG) = find("C_Login");
  CK_C_INITIALIZE_ARGS locking = {.flags = OS_LOCKING_OK};
  check("C_Initialize", initialize(&locking));
  find_slot(arguments[2]);
  CK_ULONG session = open_session();
  char pin[256] = "";
  FILE *file = fopen(arguments[3], "r");
  if (file == NULL || fgets(pin, sizeof pin, file) == NULL) { fprintf(stderr, "the PIN file can't be read\n"); return 1; }
  pin[strcspn(pin, "\r\n")] = '\0';
  check("C_Login", login(session, USER, (CK_BYTE *)pin, strlen(pin)));
  find_key(session, arguments[4]);
  pthread_t workers[MAX_THREADS];
  long signatures[MAX_THREADS], total = 0;
  double started = now();
  for (int index = 0; index < threads; index++) pthread_create(&workers[index], NULL, sign_for_a_while, &signatures[index]);
  for (int index = 0; index < threads; index++) {
    pthread_join(workers[index], NULL);
    total += signatures[index];
  }
  printf("%.1f\n", (double)total / (now() - started));
  return 0;
}

/*
 * What a PKCS#11 module does by itself: signs, and verifies what it signed, in a loop on several threads, each with a
 * session of its own. Our services verify every signature, so this and not the signing alone is what they are measured
 * against.
 *
 * ceiling MODULE TOKEN_LABEL PIN_FILE KEY_LABEL MECHANISM THREADS SECONDS [sign-only]
 *
 * MECHANISM: ecdsa-p256 | ecdsa-p384 | rsa-pkcs | rsa-pss. Digests are SHA-256's (P-384: SHA-384's) in length, RSA v1.5
 * gets a DigestInfo. Verification uses the token's public key object of the same label; sign-only leaves it out.
 * Prints {"mechanism":…,"threads":…,"seconds":…,"operations":…,"per_second":…,"cpu_ms":… (an operation),"verified":true|false}.
 *
 * The few declarations needed stand here (PKCS#11 v2.40, OASIS), so that no header is to be installed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef unsigned long CK_ULONG;
typedef unsigned char CK_BYTE;
typedef struct { CK_ULONG mechanism; void *parameter; CK_ULONG parameter_length; } CK_MECHANISM;
typedef struct { CK_ULONG type; void *value; CK_ULONG length; } CK_ATTRIBUTE;
typedef struct { CK_ULONG hash, mgf, salt; } CK_RSA_PKCS_PSS_PARAMS;
typedef struct { void *create, *destroy, *lock, *unlock; CK_ULONG flags; void *reserved; } CK_C_INITIALIZE_ARGS;

enum { OS_LOCKING_OK = 2, SERIAL_SESSION = 4, USER = 1, PUBLIC_KEY = 2, PRIVATE_KEY = 3, MAX_THREADS = 64, MAX_SIGNATURE = 512 };
enum { CKA_CLASS = 0, CKA_LABEL = 3, CKM_RSA_PKCS = 1, CKM_RSA_PKCS_PSS = 0xd, CKM_SHA256 = 0x250, CKG_MGF1_SHA256 = 2, CKM_ECDSA = 0x1041 };

static const CK_BYTE digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static void *module;
static CK_ULONG slot, private_key, public_key;
static CK_MECHANISM mechanism;
static CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
static CK_ULONG input_length;
static int prefix_length;
static int verifies = 1;
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

static double read_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static CK_ULONG open_session(void) {
  CK_ULONG (*open)(CK_ULONG, CK_ULONG, void *, void *, CK_ULONG *) = find("C_OpenSession");
  CK_ULONG session;
  check("C_OpenSession", open(slot, SERIAL_SESSION, NULL, NULL, &session));
  return session;
}

static void *work(void *count) {
  CK_ULONG (*sign_init)(CK_ULONG, CK_MECHANISM *, CK_ULONG) = find("C_SignInit");
  CK_ULONG (*sign)(CK_ULONG, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *) = find("C_Sign");
  CK_ULONG (*verify_init)(CK_ULONG, CK_MECHANISM *, CK_ULONG) = find("C_VerifyInit");
  CK_ULONG (*verify)(CK_ULONG, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG) = find("C_Verify");
  CK_ULONG session = open_session();
  CK_BYTE input[sizeof digest_info + 64] = {0}, signature[MAX_SIGNATURE];
  if (prefix_length > 0) memcpy(input, digest_info, sizeof digest_info);
  double end = now() + seconds;
  long operations = 0;
  for (; now() < end; operations++) {
    CK_ULONG length = sizeof signature;
    memcpy(input + prefix_length, &operations, sizeof operations);
    check("C_SignInit", sign_init(session, &mechanism, private_key));
    check("C_Sign", sign(session, input, input_length, signature, &length));
    if (!verifies) continue;
    check("C_VerifyInit", verify_init(session, &mechanism, public_key));
    check("C_Verify", verify(session, input, input_length, signature, length));
  }
  *(long *)count = operations;
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

static CK_ULONG find_object(CK_ULONG session, char *label, CK_ULONG class) {
  CK_ULONG (*begin)(CK_ULONG, CK_ATTRIBUTE *, CK_ULONG) = find("C_FindObjectsInit");
  CK_ULONG (*next)(CK_ULONG, CK_ULONG *, CK_ULONG, CK_ULONG *) = find("C_FindObjects");
  CK_ULONG (*end)(CK_ULONG) = find("C_FindObjectsFinal");
  CK_ULONG found = 0, object = 0;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, strlen(label)}};
  check("C_FindObjectsInit", begin(session, template, 2));
  check("C_FindObjects", next(session, &object, 1, &found));
  check("C_FindObjectsFinal", end(session));
  if (found != 1) { fprintf(stderr, "there is no %s key %s\n", class == PUBLIC_KEY ? "public" : "private", label); exit(1); }
  return object;
}

static int choose(const char *name) {
  input_length = 32;
  if (strcmp(name, "ecdsa-p256") == 0) mechanism.mechanism = CKM_ECDSA;
  else if (strcmp(name, "ecdsa-p384") == 0) { mechanism.mechanism = CKM_ECDSA; input_length = 48; }
  else if (strcmp(name, "rsa-pkcs") == 0) { mechanism.mechanism = CKM_RSA_PKCS; prefix_length = sizeof digest_info; input_length += sizeof digest_info; }
  else if (strcmp(name, "rsa-pss") == 0) { mechanism.mechanism = CKM_RSA_PKCS_PSS; mechanism.parameter = &pss; mechanism.parameter_length = sizeof pss; }
  else return 0;
  return 1;
}

int main(int count, char **arguments) {
  int is_short = count == 9 && strcmp(arguments[8], "sign-only") == 0;
  if ((count != 8 && !is_short) || !choose(arguments[5])) {
    fprintf(stderr, "usage: ceiling MODULE TOKEN_LABEL PIN_FILE KEY_LABEL ecdsa-p256|ecdsa-p384|rsa-pkcs|rsa-pss THREADS SECONDS [sign-only]\n");
    return 2;
  }
  verifies = !is_short;
  int threads = atoi(arguments[6]);
  seconds = atof(arguments[7]);
  if (threads < 1 || threads > MAX_THREADS || seconds <= 0) return 2;
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
  private_key = find_object(session, arguments[4], PRIVATE_KEY);
  if (verifies) public_key = find_object(session, arguments[4], PUBLIC_KEY);
  pthread_t workers[MAX_THREADS];
  long operations[MAX_THREADS], total = 0;
  double started = now(), cpu_before = read_cpu();
  for (int index = 0; index < threads; index++) pthread_create(&workers[index], NULL, work, &operations[index]);
  for (int index = 0; index < threads; index++) {
    pthread_join(workers[index], NULL);
    total += operations[index];
  }
  double elapsed = now() - started;
  printf("{\"mechanism\":\"%s\",\"threads\":%d,\"seconds\":%.3f,\"operations\":%ld,\"per_second\":%.1f,\"cpu_ms\":%.4f,\"verified\":%s}\n",
         arguments[5], threads, elapsed, total, (double)total / elapsed, (read_cpu() - cpu_before) * 1000 / (double)total, verifies ? "true" : "false");
  return 0;
}

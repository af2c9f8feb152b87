/*
 * The part of PKCS #11 v2.40 (section 3, appendix B) that a pass-through module needs: types, a few return codes, and
 * the function list as what it is in memory: a version and 68 pointers in the standard's order.
 */
#ifndef SIGILLUM_PKCS11_DECLARATIONS_H
#define SIGILLUM_PKCS11_DECLARATIONS_H

typedef unsigned char CK_BYTE;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef CK_ULONG CK_FLAGS;
typedef CK_ULONG CK_SLOT_ID;
typedef CK_ULONG CK_SESSION_HANDLE;
typedef CK_ULONG CK_OBJECT_HANDLE;
typedef CK_ULONG CK_USER_TYPE;

typedef struct {
  CK_BYTE major;
  CK_BYTE minor;
} CK_VERSION;

typedef void (*CK_FUNCTION)(void);

enum { CK_FUNCTION_COUNT = 68 };

/* Positions in the function list of those that the shim puts itself in front of. */
enum {
  AT_C_Initialize = 0,
  AT_C_Finalize = 1,
  AT_C_GetFunctionList = 3,
  AT_C_OpenSession = 12,
  AT_C_CloseSession = 13,
  AT_C_Login = 18,
  AT_C_Logout = 19,
  AT_C_CreateObject = 20,
  AT_C_FindObjectsInit = 26,
  AT_C_FindObjects = 27,
  AT_C_SignInit = 42,
  AT_C_Sign = 43,
  AT_C_VerifyInit = 48,
  AT_C_Verify = 49
};

typedef struct {
  CK_VERSION version;
  CK_FUNCTION functions[CK_FUNCTION_COUNT];
} CK_FUNCTION_LIST;

typedef struct {
  CK_ULONG mechanism;
  void *pParameter;
  CK_ULONG ulParameterLen;
} CK_MECHANISM;

#define CKF_OS_LOCKING_OK 2UL

#define CKR_OK 0UL
#define CKR_GENERAL_ERROR 5UL

#endif

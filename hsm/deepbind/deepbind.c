/*
 * A PKCS #11 module that loads another one with RTLD_DEEPBIND and hands on its functions. For a vendor's library that is
 * linked against OpenSSL and must not compute with the one that Node exports.
 *
 *   gcc -shared -fPIC -O2 -Wall -Wextra -Werror -o /opt/sigillum/hsm/deepbind.so hsm/deepbind/deepbind.c -ldl
 *
 *   pkcs11:
 *     module: /opt/sigillum/hsm/deepbind.so
 *     environment: { SIGILLUM_DEEPBIND_MODULE: /usr/lib/vendor/libvendor-pkcs11.so }
 *
 * The file belongs to root, as the vendor's does: whoever can write it has the PIN.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

/* CKR_GENERAL_ERROR (PKCS #11 v3.1, 6.1) */
enum { GENERAL_ERROR = 5 };

typedef unsigned long (*get_function_list)(void **list);

unsigned long C_GetFunctionList(void **list) {
  const char *path = getenv("SIGILLUM_DEEPBIND_MODULE");
  void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
  get_function_list real = module ? (get_function_list)dlsym(module, "C_GetFunctionList") : NULL;
  return real ? real(list) : GENERAL_ERROR;
}

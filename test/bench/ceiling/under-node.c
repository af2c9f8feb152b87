/*
 * The same loop inside a Node process: Node exports its own OpenSSL, and a module that is linked dynamically against
 * libcrypto binds to that one. Built together with ceiling.c as a shared object (-shared -fPIC -Dmain=ceiling_main) and
 * loaded with process.dlopen, which calls this entry (Node-API's well-known symbol; nothing of Node-API is used). The
 * arguments stand in CEILING_ARGUMENTS, one a line. Never returns: JavaScript has nothing to do here.
 */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

enum { MAX_ARGUMENTS = 16 };

int ceiling_main(int count, char **arguments);

__attribute__((visibility("default"))) void *napi_register_module_v1(void *environment, void *exports) {
  static char *arguments[MAX_ARGUMENTS + 1] = {"ceiling"};
  const char *given = getenv("CEILING_ARGUMENTS");
  int count = 1, status;
  char *save = NULL, *copy = given ? strdup(given) : NULL;
  (void)environment;
  (void)exports;
  for (char *word = copy ? strtok_r(copy, "\n", &save) : NULL; word && count < MAX_ARGUMENTS; word = strtok_r(NULL, "\n", &save)) {
    arguments[count++] = word;
  }
  status = ceiling_main(count, arguments);
  fflush(stdout);
  _Exit(status);
}

/* What the tests in C share: a check of each call, which must give its status and, where that is an error, one line of text. */
#ifndef CHECK_H
#define CHECK_H

#include <causal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(causal_status got, causal_status expected, const char *call, const char *file, int line) {
    const char *text = causal_last_error();
    if (got == expected && (got == CAUSAL_OK || (text[0] != '\0' && strchr(text, '\n') == NULL))) return;
    fprintf(stderr, "%s:%d: %s: %s, expected %s (\"%s\")\n", file, line, call, causal_status_name(got),
            causal_status_name(expected), text);
    failures++;
}
#define EXPECT(expected, call) expect(call, expected, #call, __FILE__, __LINE__)
#define OK(call) EXPECT(CAUSAL_OK, call)
#define TRUE(fact) expect((fact) ? CAUSAL_OK : CAUSAL_ERROR_VALUE, CAUSAL_OK, #fact, __FILE__, __LINE__)

#define HUGE_SIZE SIZE_MAX

#endif

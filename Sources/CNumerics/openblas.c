/* What OpenBLAS does as it is loaded, mended before it does so: this runs ahead of OpenBLAS's own constructor, and only for the OpenBLAS that
 * is linked into the library. One that is shared is its process's affair. */
#ifdef CAUSAL_STATIC
#include "numerics.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* None of these is part of OpenBLAS's interface, hence weak: a version without them goes on as it does. */
extern int blas_num_threads __attribute__((weak));
extern int blas_cpu_number __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/* OpenBLAS would start a thread for every other processor. None is needed: the engine's own threads divide the work. Numbers that are set
 * already are left alone. */
static void start_no_threads(void) {
    if (&blas_num_threads == 0 || &blas_cpu_number == 0) return;
    blas_num_threads = 1;
    blas_cpu_number = 1;
}

/* OpenBLAS knows processors by their model. Those newer than itself get its kernels for a Pentium 4; they get the newest here
 * that they can run. OpenBLAS takes a choice only from the environment. That is lent to it, one entry longer: to change it would race with
 * threads of the host that read it, while they find in this copy all that they would in the other. */
static void choose_newest_kernels(void) {
    int level = causal_processor_level();
    if (gotoblas_dynamic_init == NULL || gotoblas_dynamic_quit == NULL || environ == NULL || level == 0 || getenv("OPENBLAS_CORETYPE") != NULL) return;
    gotoblas_dynamic_init();
    if (strcmp(openblas_get_corename(), "Prescott") != 0) return;

    size_t count = 0;
    while (environ[count] != NULL) count++;
    static char **longer; /* stays, as a thread may still be reading it */
    char **own = environ;
    longer = malloc((count + 2) * sizeof *longer);
    if (longer == NULL) return;
    memcpy(longer, own, count * sizeof *longer);
    longer[count] = level == 4 ? "OPENBLAS_CORETYPE=SkylakeX" : "OPENBLAS_CORETYPE=Haswell";
    longer[count + 1] = NULL;

    gotoblas_dynamic_quit();
    environ = longer;
    gotoblas_dynamic_init();
    environ = own;
}

__attribute__((constructor(101))) static void before_openblas(void) {
    start_no_threads();
    choose_newest_kernels();
}
#endif

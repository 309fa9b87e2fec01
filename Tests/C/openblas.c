/* The OpenBLAS inside the library runs kernels for this processor, whether it knows its model or not, and as its user says where he does.
 * Linked with Sources/CNumerics/openblas.c and the archive that the library is made from; the argument is the core that is expected. */
#include "../../Sources/CNumerics/numerics.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    const char *core = openblas_get_corename();
    if (count > 1) {
        if (strcmp(core, arguments[1]) == 0) return 0;
        fprintf(stderr, "openblas: kernels for %s, OPENBLAS_CORETYPE said %s\n", core, arguments[1]);
        return 1;
    }
    if (causal_processor_level() > 0 && strcmp(core, "Prescott") == 0) {
        fprintf(stderr, "openblas: kernels for %s on a processor with AVX2\n", core);
        return 1;
    }
    if (getenv("OPENBLAS_CORETYPE") != NULL) {
        fprintf(stderr, "openblas: the environment was changed\n");
        return 1;
    }
    float a[4] = {1, 2, 3, 4}, c[4];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, a, 2, 0, c, 2);
    if (c[0] == 7 && c[1] == 10 && c[2] == 15 && c[3] == 22) return 0;
    fprintf(stderr, "openblas: a wrong product with kernels for %s\n", core);
    return 1;
}

/* What the engine takes from C: BLAS and LAPACK (OpenBLAS carries both) and what it asks of the machine. */
#ifndef CAUSAL_NUMERICS_H
#define CAUSAL_NUMERICS_H

#include <cblas.h>
#include <sys/syscall.h>
#include <unistd.h>

/* LAPACK's Fortran interface; Debian's OpenBLAS ships no C header for it. Matrices are column-major. */
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void spotrs_(const char *uplo, const int *n, const int *nrhs, const float *a, const int *lda, float *b, const int *ldb, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b, const int *ldb, int *info);
void sgesv_(const int *n, const int *nrhs, float *a, const int *lda, int *pivots, float *b, const int *ldb, int *info);
void dgesv_(const int *n, const int *nrhs, double *a, const int *lda, int *pivots, double *b, const int *ldb, int *info);
void ssyev_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w, float *work,
            const int *lwork, int *info);
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
            const int *lwork, int *info);

/* The newest x86-64 level of those with kernels of their own that this processor runs, with its registers enabled by the system: 3 has AVX2
 * and FMA, 4 has AVX-512; 0 is any other processor. */
static inline int causal_processor_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) return 0;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") ? 4 : 3;
#else
    return 0;
#endif
}

/* Says that this thread is waiting in a loop. */
static inline void causal_processor_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* How many processors this process may use. (sched_getaffinity itself is hidden from Swift, which compiles without _GNU_SOURCE.) */
static inline int causal_processor_count(void) {
    unsigned long allowed[1024 / (8 * sizeof(unsigned long))] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof allowed, allowed);
    int count = 0;
    for (long i = 0; i < bytes / (long)sizeof(unsigned long); i++) count += __builtin_popcountl(allowed[i]);
    return count > 0 ? count : 1;
}

#endif

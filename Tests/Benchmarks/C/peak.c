/* What the processor can do at most: multiply-adds on registers, and a triad (a = b + s c) through memory that no cache holds.
 *
 *     cc -O3 -march=native -ffp-contract=fast -pthread peak.c -o peak && ./peak THREADS SECONDS
 *
 * Prints "GFLOP/s GB/s": float32, a multiply-add counted as two, and bytes as STREAM counts them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __AVX512F__
enum { WIDTH = 64 };
#else
enum { WIDTH = 32 };
#endif
enum { CHAINS = 12, TURNS = 16384, LENGTH = 16 << 20, MOST = 64 };
typedef float vector __attribute__((vector_size(WIDTH)));

static double seconds_wanted;
static int threads;
static float *arrays[3];
static double done[MOST];
static volatile float sink;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* As many independent chains as hide the latency of a multiply-add. The factors are read at run time, so nothing is worked out before.
 * The best of many turns of some 100 us counts, in which nobody else had the processor. */
static void *multiply(void *argument) {
    long me = (long)argument;
    const double end = now() + seconds_wanted, operations = 2.0 * TURNS * CHAINS * WIDTH / sizeof(float);
    double start, best = 0;
    volatile float one = 0.999999f, other = 1e-6f;
    vector a = (vector){0} + one, b = (vector){0} + other, sum[CHAINS];
    int i, k;
    for (k = 0; k < CHAINS; k++) sum[k] = b * (float)k;
    do {
        start = now();
        for (i = 0; i < TURNS; i++)
#pragma GCC unroll 12
            for (k = 0; k < CHAINS; k++) sum[k] = sum[k] * a + b;
        /* Or else the compiler moves the clock. */
        for (k = 0; k < CHAINS; k++) __asm__ volatile("" : "+m"(sum[k]));
        if (operations / (now() - start) > best) best = operations / (now() - start);
    } while (now() < end);
    done[me] = best;
    for (k = 1; k < CHAINS; k++) sum[0] += sum[k];
    sink = sum[0][0];
    return NULL;
}

static void *triad(void *argument) {
    long me = (long)argument, i, from = me * (LENGTH / threads), to = from + LENGTH / threads;
    float *restrict a = arrays[0], *restrict b = arrays[1], *restrict c = arrays[2];
    volatile float s = 3;
    float factor = s;
    double start, bytes = 0;
    for (i = from; i < to; i++) { a[i] = 0; b[i] = 1; c[i] = 2; }
    start = now();
    do {
        for (i = from; i < to; i++) a[i] = b[i] + factor * c[i];
        bytes += 3.0 * sizeof(float) * (to - from);
    } while (now() - start < seconds_wanted);
    done[me] = bytes / (now() - start);
    return NULL;
}

static double together(void *(*work)(void *)) {
    pthread_t helpers[MOST];
    double sum = 0;
    long k;
    for (k = 1; k < threads; k++)
        if (pthread_create(&helpers[k], NULL, work, (void *)k) != 0) exit(EXIT_FAILURE);
    work((void *)0);
    for (k = 1; k < threads; k++) pthread_join(helpers[k], NULL);
    for (k = 0; k < threads; k++) sum += done[k];
    return sum / 1e9;
}

int main(int count, char **arguments) {
    double arithmetic;
    int k;
    if (count != 3 || (threads = atoi(arguments[1])) < 1 || threads > MOST || !((seconds_wanted = atof(arguments[2])) > 0)) {
        fprintf(stderr, "usage: %s THREADS SECONDS, with 1 to %d threads\n", arguments[0], MOST);
        return EXIT_FAILURE;
    }
    for (k = 0; k < 3; k++)
        if ((arrays[k] = malloc(LENGTH * sizeof(float))) == NULL) return EXIT_FAILURE;
    arithmetic = together(multiply);
    printf("%.2f %.2f\n", arithmetic, together(triad));
    return EXIT_SUCCESS;
}

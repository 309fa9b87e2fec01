/* What the processor can do at most: multiply-adds on registers, and a triad (a = b + s c) through memory that no cache holds.
 *
 *     cc -O3 -march=native -ffp-contract=fast -pthread peak.c -o peak && ./peak THREADS SECONDS
 *
 * Prints "GFLOP/s GB/s": float32, a multiply-add counted as two, and bytes as STREAM counts them. All threads begin a turn together, and it lasts
 * until the last one has ended; the best turn counts, in which nobody else had a processor. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __AVX512F__
enum { WIDTH = 64 };
#else
enum { WIDTH = 32 };
#endif
enum { CHAINS = 12, STEPS = 16384, LENGTH = 16 << 20, MOST = 1024 };
typedef float vector __attribute__((vector_size(WIDTH)));

static double seconds_wanted;
static int threads;
static float *arrays[3];
static volatile float sink;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* As many independent chains as hide the latency of a multiply-add. The factors are read at run time, so nothing is worked out before. */
static void multiply(long me) {
    volatile float one = 0.999999f, other = 1e-6f;
    vector a = (vector){0} + one, b = (vector){0} + other, sum[CHAINS];
    int i, k;
    for (k = 0; k < CHAINS; k++) sum[k] = b * (float)(k + me);
    for (i = 0; i < STEPS; i++)
#pragma GCC unroll 12
        for (k = 0; k < CHAINS; k++) sum[k] = sum[k] * a + b;
    for (k = 1; k < CHAINS; k++) sum[0] += sum[k];
    sink = sum[0][0];
}

/* The memory of what a thread writes first is near it. */
static void fill(long me) {
    long i, from = me * (LENGTH / threads), to = from + LENGTH / threads;
    int k;
    for (k = 0; k < 3; k++)
        for (i = from; i < to; i++) arrays[k][i] = k;
}

static void triad(long me) {
    long i, from = me * (LENGTH / threads), to = from + LENGTH / threads;
    float *restrict a = arrays[0], *restrict b = arrays[1], *restrict c = arrays[2];
    volatile float s = 3;
    float factor = s;
    for (i = from; i < to; i++) a[i] = b[i] + factor * c[i];
}

static void (*work)(long me);
static atomic_int waiting, meetings, goes_on;
static double begun[MOST], ended[MOST], shortest;

/* Until all threads are here. */
static void meet(void) {
    int meeting = atomic_load(&meetings);
    if (atomic_fetch_add(&waiting, 1) == threads - 1) {
        atomic_store(&waiting, 0);
        atomic_fetch_add(&meetings, 1);
    } else {
        while (atomic_load(&meetings) == meeting) sched_yield();
    }
}

static void *take_turns(void *argument) {
    long me = (long)argument;
    double end = now() + seconds_wanted, first, last;
    int k;
    do {
        meet();
        begun[me] = now();
        work(me);
        ended[me] = now();
        meet();
        if (me == 0) {
            first = begun[0], last = ended[0];
            for (k = 1; k < threads; k++) {
                if (begun[k] < first) first = begun[k];
                if (ended[k] > last) last = ended[k];
            }
            if (last - first < shortest) shortest = last - first;
            atomic_store(&goes_on, now() < end);
        }
        meet();
    } while (atomic_load(&goes_on));
    return NULL;
}

/* Seconds of the shortest turn. */
static double turn(void (*of)(long me)) {
    pthread_t helpers[MOST];
    long k;
    work = of;
    shortest = 1e300;
    for (k = 1; k < threads; k++)
        if (pthread_create(&helpers[k], NULL, take_turns, (void *)k) != 0) exit(EXIT_FAILURE);
    take_turns((void *)0);
    for (k = 1; k < threads; k++) pthread_join(helpers[k], NULL);
    return shortest;
}

int main(int count, char **arguments) {
    double operations, bytes;
    int k;
    if (count != 3 || (threads = atoi(arguments[1])) < 1 || threads > MOST || !((seconds_wanted = atof(arguments[2])) > 0)) {
        fprintf(stderr, "usage: %s THREADS SECONDS, with 1 to %d threads\n", arguments[0], MOST);
        return EXIT_FAILURE;
    }
    for (k = 0; k < 3; k++)
        if ((arrays[k] = malloc(LENGTH * sizeof(float))) == NULL) return EXIT_FAILURE;
    operations = 2.0 * STEPS * CHAINS * WIDTH / sizeof(float) * threads;
    bytes = 3.0 * sizeof(float) * (LENGTH / threads) * threads;
    printf("%.2f ", operations / turn(multiply) / 1e9);
    turn(fill);
    printf("%.2f\n", bytes / turn(triad) / 1e9);
    return EXIT_SUCCESS;
}

/* How many threads there are: none before they are needed, no more than were asked for, and none of those that were replaced. */
#define _POSIX_C_SOURCE 200809L
#include <causal.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 4096, INPUTS = 64, CALLERS = 16, ROUNDS = 20 };
static float x[ROWS * INPUTS];
static causal_model *model;
static pthread_barrier_t together;

static int thread_count(void) {
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    while ((entry = readdir(folder)) != NULL) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* A thread that ends is there a moment longer. */
static int expect_threads(int expected, const char *when) {
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int tries;
    for (tries = 0; tries < 300 && thread_count() != expected; tries++) nanosleep(&pause, NULL);
    if (thread_count() == expected) return 0;
    fprintf(stderr, "threads: %d %s, expected %d\n", thread_count(), when, expected);
    return 1;
}

typedef struct { void (*run)(void *); void *data; } host_task;

static void *run_task(void *task) {
    ((host_task *)task)->run(((host_task *)task)->data);
    return NULL;
}

/* Threads that a host lends: one more than asked for, the caller not among them. */
static unsigned asked_for;
static void lent(void (*task)(void *), void *data, unsigned threads, unsigned flags) {
    host_task mine = {task, data};
    pthread_t callers[CALLERS];
    unsigned i;
    asked_for = flags == 0 ? threads : 0;
    for (i = 0; i <= threads; i++) pthread_create(&callers[i], NULL, run_task, &mine);
    for (i = 0; i <= threads; i++) pthread_join(callers[i], NULL);
}

/* A host that has no thread to spare. */
static void lent_none(void (*task)(void *), void *data, unsigned threads, unsigned flags) { (void)task, (void)data, (void)threads, (void)flags; }

static float alone[ROWS];
static void *predict_again(void *y) {
    int i;
    for (i = 0; i < 20; i++) {
        if (causal_model_predict(model, NULL, x, CAUSAL_FLOAT32, ROWS, INPUTS, NULL, y, CAUSAL_FLOAT32, ROWS, 1)) _exit(1);
        if (memcmp(y, alone, sizeof alone) != 0) {
            fprintf(stderr, "threads: lent threads change the result\n");
            _exit(1);
        }
    }
    return NULL;
}

/* In a process of its own: a host's threads do the work, and none are started; taken back, or after a fork, the library has its own. */
static int lent_threads(void) {
    static float y[4][ROWS];
    pthread_t callers[3];
    pid_t child;
    int i, failures, status = 1;
    causal_set_threads(1);
    if (causal_model_predict(model, NULL, x, CAUSAL_FLOAT32, ROWS, INPUTS, NULL, alone, CAUSAL_FLOAT32, ROWS, 1)) return 1;
    causal_set_threads(3);
    if (causal_lend_threads(lent_none)) return 1;
    predict_again(y[0]);
    if (causal_lend_threads(lent)) return 1;
    for (i = 0; i < 3; i++) pthread_create(&callers[i], NULL, predict_again, y[i]);
    predict_again(y[3]);
    for (i = 0; i < 3; i++) pthread_join(callers[i], NULL);
    failures = expect_threads(1, "after work on threads of the host");
    if (asked_for != 3) {
        fprintf(stderr, "threads: %u asked for, expected 3\n", asked_for);
        failures++;
    }
    child = fork();
    if (child == 0) {
        predict_again(y[0]);
        _exit(expect_threads(3, "in a child that was forked from who lent"));
    }
    failures += waitpid(child, &status, 0) != child || status != 0;
    if (causal_lend_threads(NULL)) return 1;
    predict_again(y[0]);
    return failures + expect_threads(3, "after they were taken back");
}

static void predict(void) {
    static float y[CALLERS + 1][ROWS];
    static int next;
    int mine = __sync_fetch_and_add(&next, 1) % (CALLERS + 1);
    if (causal_model_predict(model, NULL, x, CAUSAL_FLOAT32, ROWS, INPUTS, NULL, y[mine], CAUSAL_FLOAT32, ROWS, 1)) {
        fprintf(stderr, "threads: %s\n", causal_last_error());
        _exit(1);
    }
}

static void *call(void *unused) {
    pthread_barrier_wait(&together);
    predict();
    return unused;
}

/* In a process of its own, where nothing has been computed yet. */
static int first_calls(void) {
    pthread_t callers[CALLERS];
    int i, failures;
    causal_set_threads(4);
    pthread_barrier_init(&together, NULL, CALLERS);
    for (i = 0; i < CALLERS; i++) pthread_create(&callers[i], NULL, call, NULL);
    for (i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
    predict();
    failures = expect_threads(4, "after many first calls at once");
    for (i = 0; i < 50; i++) {
        causal_set_threads(2 + i % 3);
        predict();
    }
    causal_set_threads(2);
    predict();
    return failures + expect_threads(2, "after their number was changed");
}

int main(void) {
    const size_t hidden[2] = {256, 256};
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    int failures = expect_threads(1, "when the library is loaded"), round;
    options.inputs = INPUTS;
    options.hidden = hidden;
    options.hidden_count = 2;
    options.outputs = 1;
    if (causal_model_create_mlp(&model, &options)) return EXIT_FAILURE;
    for (round = 0; round <= ROUNDS && failures == 0; round++) {
        int status = 1;
        pid_t child = fork();
        if (child == 0) _exit((round < ROUNDS ? first_calls() : lent_threads()) != 0);
        failures += waitpid(child, &status, 0) != child || status != 0;
    }
    causal_model_free(model);
    if (failures == 0) printf("threads: as many as were asked for\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

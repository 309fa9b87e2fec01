/* Microseconds of causal_model_predict on one row, the median of many short turns.
 *
 *     ./one_row SECONDS WIDTH WIDTH ... WIDTH
 */
#include <causal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS = 31, MOST = 32 };

static void check(causal_status status) {
    if (status == CAUSAL_OK) return;
    fprintf(stderr, "%s: %s\n", causal_status_name(status), causal_last_error());
    exit(EXIT_FAILURE);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

int main(int count, char **arguments) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *model;
    size_t widths[MOST];
    double seconds, times[TURNS], start;
    float *x, *y;
    long calls = 1, i;
    int k;
    if (count < 4 || count - 2 > MOST || !((seconds = atof(arguments[1])) > 0)) {
        fprintf(stderr, "usage: %s SECONDS WIDTH WIDTH ... with 2 to %d widths\n", arguments[0], MOST);
        return EXIT_FAILURE;
    }
    for (k = 2; k < count; k++) widths[k - 2] = strtoul(arguments[k], NULL, 10);
    options.inputs = widths[0];
    options.hidden = widths + 1;
    options.hidden_count = count - 4;
    options.outputs = widths[count - 3];
    check(causal_model_create_mlp(&model, &options));
    x = calloc(options.inputs, sizeof(float));
    y = calloc(options.outputs, sizeof(float));
    if (x == NULL || y == NULL) return EXIT_FAILURE;
    for (i = 0; i < (long)options.inputs; i++) x[i] = (float)i / options.inputs - 0.5f;

    do { /* as many calls as fill a turn */
        calls *= 2;
        start = now();
        for (i = 0; i < calls; i++)
            check(causal_model_predict(model, NULL, x, CAUSAL_FLOAT32, 1, options.inputs, NULL, y, CAUSAL_FLOAT32, 1, options.outputs));
    } while (now() - start < seconds / TURNS);
    for (k = 0; k < TURNS; k++) {
        start = now();
        for (i = 0; i < calls; i++)
            check(causal_model_predict(model, NULL, x, CAUSAL_FLOAT32, 1, options.inputs, NULL, y, CAUSAL_FLOAT32, 1, options.outputs));
        times[k] = (now() - start) / calls;
    }
    qsort(times, TURNS, sizeof(double), ascending);
    printf("%.4f\n", 1e6 * times[TURNS / 2]);
    check(causal_model_free(model));
    free(x);
    free(y);
    return EXIT_SUCCESS;
}

/* Runs forward and backward passes, with do() on a third of the inputs in every second row or without, for an instruction counter.
 *
 *     valgrind --tool=callgrind ./do_cost PASSES DO ROWS WIDTH WIDTH ... WIDTH
 *
 * DO: 0 or 1. What a pass takes is the difference between two numbers of passes, divided. The intervention is in the engine before. */
#include <causal.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 32 };

static void check(causal_status status) {
    if (status == CAUSAL_OK) return;
    fprintf(stderr, "%s: %s\n", causal_status_name(status), causal_last_error());
    exit(EXIT_FAILURE);
}

static void *room(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) exit(EXIT_FAILURE);
    return memory;
}

/* Numbers of both signs that look random enough. */
static void fill(float *numbers, size_t count) {
    unsigned state = 1;
    size_t i;
    for (i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        numbers[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
}

int main(int count, char **arguments) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_gradients gradients = CAUSAL_GRADIENTS_INIT;
    causal_intervention *intervention;
    causal_model *model;
    causal_trace *trace;
    size_t widths[MOST], rows, i, j, set;
    float *x, *y, *dy, *values;
    uint8_t *mask;
    long passes, pass;
    int k, intervenes;
    if (count < 6 || count - 4 > MOST || (passes = atol(arguments[1])) < 1 || (rows = strtoul(arguments[3], NULL, 10)) < 1) {
        fprintf(stderr, "usage: %s PASSES DO ROWS WIDTH WIDTH ... with 2 to %d widths\n", arguments[0], MOST);
        return EXIT_FAILURE;
    }
    intervenes = atoi(arguments[2]);
    for (k = 4; k < count; k++) widths[k - 4] = strtoul(arguments[k], NULL, 10);
    options.inputs = widths[0];
    options.hidden = widths + 1;
    options.hidden_count = count - 6;
    options.outputs = widths[count - 5];
    check(causal_set_threads(1));
    check(causal_model_create_mlp(&model, &options));
    check(causal_trace_create(&trace, model));

    x = room(rows * options.inputs, sizeof(float));
    values = room(rows * options.inputs, sizeof(float));
    mask = room(rows, options.inputs);
    y = room(rows * options.outputs, sizeof(float));
    dy = room(rows * options.outputs, sizeof(float));
    fill(x, rows * options.inputs);
    fill(values, rows * options.inputs);
    fill(dy, rows * options.outputs);
    set = options.inputs < 3 ? 1 : options.inputs / 3;
    for (i = 0; i < rows; i += 2)
        for (j = 0; j < set; j++) mask[i * options.inputs + j] = 1;
    check(causal_intervention_create(&intervention, CAUSAL_FLOAT32));
    check(causal_intervention_set(intervention, 0, mask, rows, values, CAUSAL_FLOAT32, rows, options.inputs));

    check(causal_model_parameter_count(model, &gradients.parameter_count));
    gradients.parameters = room(gradients.parameter_count, sizeof(float));
    for (pass = 0; pass < passes; pass++) {
        check(causal_model_forward(model, NULL, x, CAUSAL_FLOAT32, rows, options.inputs, intervenes ? intervention : NULL, trace, y,
                                   CAUSAL_FLOAT32, rows, options.outputs));
        check(causal_model_backward(model, NULL, trace, dy, CAUSAL_FLOAT32, rows, options.outputs, &gradients));
    }

    check(causal_trace_free(trace));
    check(causal_model_free(model));
    check(causal_intervention_free(intervention));
    free(gradients.parameters);
    free(x);
    free(y);
    free(dy);
    free(values);
    free(mask);
    return EXIT_SUCCESS;
}

/* Creates, trains and frees 100,000 networks. The process must not have grown by a mebibyte afterwards. */
#include <causal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CYCLES = 100000, WARM_UP = 2000, ROWS = 32, FEATURES = 3 };

static void check(causal_status status) {
    if (status == CAUSAL_OK) return;
    fprintf(stderr, "%s: %s\n", causal_status_name(status), causal_last_error());
    exit(EXIT_FAILURE);
}

/* Resident memory in KiB. */
static long resident(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kibibytes = -1;
    if (file == NULL) return -1;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kibibytes) == 1) break;
    fclose(file);
    return kibibytes;
}

static void cycle(const float *x, const float *y, const uint8_t *mask, const float *values, size_t seed) {
    const size_t hidden[] = {16, 16};
    causal_mlp_options network = CAUSAL_MLP_OPTIONS_INIT;
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    causal_intervention *intervention;
    causal_model *model;
    causal_trainer *trainer;
    causal_trainer_state state;
    causal_loss *loss;

    check(causal_intervention_create(&intervention, CAUSAL_FLOAT32));
    check(causal_intervention_set(intervention, 0, mask, 1, values, CAUSAL_FLOAT32, 1, FEATURES));
    check(causal_loss_create_standard(&loss, "mae"));
    network.inputs = FEATURES;
    network.hidden = hidden;
    network.hidden_count = 2;
    network.outputs = 1;
    network.seed = seed;
    check(causal_model_create_mlp(&model, &network));
    data.x = x;
    data.y = y;
    data.rows = ROWS;
    data.x_columns = FEATURES;
    data.y_columns = 1;
    data.intervention = intervention;
    options.loss = loss;
    options.epochs = 2;
    options.batch_size = 16;
    check(causal_trainer_create(&trainer, model, NULL, &data, NULL, &options));
    check(causal_trainer_run(trainer, INFINITY, &state));
    check(causal_trainer_free(trainer));
    check(causal_model_free(model));
    check(causal_loss_free(loss));
    check(causal_intervention_free(intervention));
}

int main(void) {
    static float x[ROWS * FEATURES], y[ROWS];
    static const uint8_t mask[FEATURES] = {0, 1, 0};
    static const float values[FEATURES] = {0, 0.5f, 0};
    long before = 0, grown;
    size_t i;
    for (i = 0; i < ROWS * FEATURES; i++) x[i] = (float)(i % 7) - 3;
    for (i = 0; i < ROWS; i++) y[i] = x[i * FEATURES] - x[i * FEATURES + 2];
    for (i = 0; i < WARM_UP + CYCLES; i++) {
        if (i == WARM_UP) before = resident();
        cycle(x, y, mask, values, i);
        if (i % 20000 == 0) printf("%6lu cycles, %ld KiB\n", (unsigned long)i, resident()), fflush(stdout);
    }
    grown = resident() - before;
    printf("%d cycles of create, train and free: grown by %ld KiB, expected less than 1024\n", CYCLES, grown);
    return grown < 1024 ? EXIT_SUCCESS : EXIT_FAILURE;
}

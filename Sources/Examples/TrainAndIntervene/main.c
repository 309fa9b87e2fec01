/* Trains a network on y = x1 + 2 x2 - 3 x3 and asks it what happens under do(x2 = v).
 *
 * Half of the rows come from an experiment: y was seen under do(x2 = 0.5), while the recorded x2 is the value from before.
 *
 *     cc -Iinclude main.c -lCausal -o train && ./train
 */
#include <causal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 800, FEATURES = 3, EFFECTS = 3 };

static void check(causal_status status) {
    if (status == CAUSAL_OK) return;
    fprintf(stderr, "%s: %s\n", causal_status_name(status), causal_last_error());
    exit(EXIT_FAILURE);
}

/* A standard normal number, good enough for an example. */
static float normal(void) {
    double sum = 0;
    int i;
    for (i = 0; i < 12; i++) sum += (double)rand() / RAND_MAX;
    return (float)(sum - 6);
}

static int show_epoch(void *context, size_t epoch, const causal_epoch *result) {
    (void)context;
    if ((epoch + 1) % 20 == 0) printf("epoch %3lu  loss %.4f\n", (unsigned long)epoch + 1, result->loss);
    return 0; /* go on */
}

int main(void) {
    static float x[ROWS][FEATURES], y[ROWS], set[ROWS][FEATURES];
    static uint8_t mask[ROWS][FEATURES];
    static const uint8_t only_x2[FEATURES] = {0, 1, 0};
    const size_t hidden[] = {16, 16};
    causal_mlp_options network = CAUSAL_MLP_OPTIONS_INIT;
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    causal_intervention *experiment, *question;
    causal_model *model;
    causal_trainer *trainer;
    causal_trainer_state state;
    float v;
    int i, j;

    srand(1);
    for (i = 0; i < ROWS; i++) {
        for (j = 0; j < FEATURES; j++) x[i][j] = normal();
        mask[i][1] = i % 2 == 0; /* this row comes from the experiment */
        set[i][1] = 0.5f;
        y[i] = x[i][0] + 2 * (mask[i][1] ? 0.5f : x[i][1]) - 3 * x[i][2] + 0.1f * normal();
    }
    check(causal_intervention_create(&experiment, CAUSAL_FLOAT32));
    check(causal_intervention_set(experiment, 0, &mask[0][0], ROWS, set, CAUSAL_FLOAT32, ROWS, FEATURES));

    network.inputs = FEATURES;
    network.hidden = hidden;
    network.hidden_count = 2;
    network.outputs = 1;
    check(causal_model_create_mlp(&model, &network));

    data.x = x;
    data.y = y;
    data.rows = ROWS;
    data.x_columns = FEATURES;
    data.y_columns = 1;
    data.intervention = experiment;
    options.callback = show_epoch;
    check(causal_trainer_create(&trainer, model, NULL, &data, NULL, &options));
    check(causal_trainer_run(trainer, INFINITY, &state));

    for (v = -2; v <= 2; v++) {
        const float at[FEATURES] = {1, 0, 1}, value[FEATURES] = {0, v, 0};
        float predicted;
        check(causal_intervention_create(&question, CAUSAL_FLOAT32));
        check(causal_intervention_set(question, 0, only_x2, 1, value, CAUSAL_FLOAT32, 1, FEATURES));
        check(causal_model_predict(model, NULL, at, CAUSAL_FLOAT32, 1, FEATURES, question, &predicted, CAUSAL_FLOAT32, 1, 1));
        check(causal_intervention_free(question));
        printf("do(x2 = %4.1f) at x1 = x3 = 1: predicted %6.3f, true %6.3f\n", v, predicted, 1 + 2 * v - 3);
    }
    check(causal_trainer_free(trainer));
    check(causal_model_free(model));
    check(causal_intervention_free(experiment));
    return EXIT_SUCCESS;
}

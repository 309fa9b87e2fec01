/* Many trainers as one call: what they learn is what each would have learned alone, one that diverges leaves the others alone, and a call
 * that cannot be is refused before anything has happened. */
#include "check.h"

enum { ROWS = 96, INPUTS = 3, MODELS = 12, ODD = 5, PARAMETERS = INPUTS + 1 };
static float x[ROWS][INPUTS], y[ROWS];
static causal_trainer_state states[MODELS];
static const causal_trainer_state untouched = (causal_trainer_state)-1;

static void make_rows(void) {
    int i, j;
    for (i = 0; i < ROWS; i++) {
        for (j = 0; j < INPUTS; j++) x[i][j] = (float)((i * 37 + j * 61) % 101) / 50 - 1;
        y[i] = x[i][0] + 2 * x[i][1] - 3 * x[i][2];
    }
}

static causal_model *new_model(int k) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *model = NULL;
    options.inputs = INPUTS;
    options.outputs = 1;
    OK(causal_model_create_mlp(&model, &options));
    OK(causal_model_initialize(model, NULL, PARAMETERS, (uint64_t)k));
    return model;
}

/* With training rows, or without, for rows that come batch by batch. */
static causal_trainer *new_trainer(causal_model *model, void *parameters, int has_rows, double rate) {
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    causal_trainer *trainer = NULL;
    data.x = x;
    data.y = y;
    data.rows = ROWS;
    data.x_columns = INPUTS;
    data.y_columns = 1;
    options.epochs = 20;
    options.optimizer.method = "sgd";
    options.optimizer.learning_rate = rate;
    OK(causal_trainer_create(&trainer, model, parameters, has_rows ? &data : NULL, NULL, &options));
    return trainer;
}

static void expect_text(const char *part) {
    if (strstr(causal_last_error(), part) != NULL) return;
    fprintf(stderr, "trainers: \"%s\" does not say \"%s\"\n", causal_last_error(), part);
    failures++;
}

static void together(double seconds) {
    causal_model *models[MODELS];
    causal_trainer *trainers[MODELS];
    float parameters[PARAMETERS], alone[PARAMETERS];
    int k, calls = 0, diverged = 0, running;
    for (k = 0; k < MODELS; k++) {
        models[k] = new_model(k);
        trainers[k] = new_trainer(models[k], NULL, 1, k == ODD ? 1e20 : 0.05);
    }
    do {
        causal_status status = causal_trainer_run_all(trainers, MODELS, seconds, states);
        if (status == CAUSAL_ERROR_DIVERGED) {
            expect_text("trainers[5]: training diverged in epoch 0");
            diverged++;
        } else {
            OK(status);
        }
        for (running = k = 0; k < MODELS; k++) running += states[k] == CAUSAL_TRAINER_RUNNING;
        calls++;
    } while (running > 0 && calls < 10000);
    TRUE(diverged == 1 && running == 0 && (calls > 1) == (seconds == 0));
    for (k = 0; k < MODELS; k++) {
        causal_model *model = new_model(k);
        causal_trainer *trainer = new_trainer(model, NULL, 1, k == ODD ? 1e20 : 0.05);
        TRUE(states[k] == (k == ODD ? CAUSAL_TRAINER_DIVERGED : CAUSAL_TRAINER_FINISHED));
        EXPECT(k == ODD ? CAUSAL_ERROR_DIVERGED : CAUSAL_OK, causal_trainer_run(trainer, INFINITY, NULL));
        OK(causal_model_get_parameters(model, alone, CAUSAL_FLOAT32, PARAMETERS));
        OK(causal_model_get_parameters(models[k], parameters, CAUSAL_FLOAT32, PARAMETERS));
        TRUE(memcmp(parameters, alone, sizeof alone) == 0 && isfinite(parameters[0]));
        OK(causal_trainer_free(trainer));
        OK(causal_model_free(model));
    }
    OK(causal_trainer_run_all(trainers, MODELS, INFINITY, NULL));       /* all are over */
    for (k = 0; k < MODELS; k++) OK(causal_trainer_free(trainers[k])), OK(causal_model_free(models[k]));
}

/* The bootstrap: rows by their numbers teach what a copy of them teaches. */
static void rows_of_its_own(void) {
    static float copied_x[MODELS][ROWS][INPUTS], copied_y[MODELS][ROWS];
    size_t selection[MODELS][ROWS];
    causal_model *models[2 * MODELS];
    causal_trainer *trainers[2 * MODELS];
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    float parameters[PARAMETERS], alone[PARAMETERS];
    int i, k;
    options.epochs = 5;
    for (k = 0; k < MODELS; k++) {
        causal_dataset some = CAUSAL_DATASET_INIT, copied = CAUSAL_DATASET_INIT;
        for (i = 0; i < ROWS; i++) {
            selection[k][i] = (size_t)(i * i + 7 * k * i + k) % ROWS;
            memcpy(copied_x[k][i], x[selection[k][i]], sizeof copied_x[k][i]);
            copied_y[k][i] = y[selection[k][i]];
        }
        some.x = x;
        some.y = y;
        some.rows = copied.rows = ROWS;
        some.x_columns = copied.x_columns = INPUTS;
        some.y_columns = copied.y_columns = 1;
        some.selection = selection[k];
        some.selected = ROWS;
        copied.x = copied_x[k];
        copied.y = copied_y[k];
        models[k] = new_model(k);
        models[MODELS + k] = new_model(k);
        OK(causal_trainer_create(&trainers[k], models[k], NULL, &some, NULL, &options));
        OK(causal_trainer_create(&trainers[MODELS + k], models[MODELS + k], NULL, &copied, NULL, &options));
        memset(selection[k], 0, sizeof selection[k]);       /* they were copied */
    }
    OK(causal_trainer_run_all(trainers, 2 * MODELS, INFINITY, NULL));
    for (k = 0; k < MODELS; k++) {
        OK(causal_model_get_parameters(models[k], parameters, CAUSAL_FLOAT32, PARAMETERS));
        OK(causal_model_get_parameters(models[MODELS + k], alone, CAUSAL_FLOAT32, PARAMETERS));
        TRUE(memcmp(parameters, alone, sizeof alone) == 0);
    }
    for (k = 0; k < 2 * MODELS; k++) OK(causal_trainer_free(trainers[k])), OK(causal_model_free(models[k]));
}

static void rows_that_are_not_there(void) {
    const size_t numbers[] = {0, ROWS, HUGE_SIZE};
    causal_model *model = new_model(0);
    causal_trainer *trainer = NULL;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    causal_dataset data = CAUSAL_DATASET_INIT, good;
    data.x = x;
    data.y = y;
    data.rows = ROWS;
    data.x_columns = INPUTS;
    data.y_columns = 1;
    good = data;
#define REFUSED(status, numbers, count, text) \
    data.selection = numbers; \
    data.selected = count; \
    EXPECT(status, causal_trainer_create(&trainer, model, NULL, &data, NULL, &options)); \
    expect_text("training data: " text); \
    EXPECT(status, causal_trainer_create(&trainer, model, NULL, &good, &data, &options)); \
    expect_text("validation data: " text)
    REFUSED(CAUSAL_ERROR_NULL, NULL, 1, "selection is NULL");
    REFUSED(CAUSAL_ERROR_SHAPE, numbers, 0, "no rows");
    REFUSED(CAUSAL_ERROR_VALUE, numbers, 2, "selection[1] is 96, expected the number of one of 96 rows");
    REFUSED(CAUSAL_ERROR_VALUE, numbers + 2, 1, "selection[0] is -1");
    REFUSED(CAUSAL_ERROR_MEMORY, numbers, HUGE_SIZE, "selection");
    REFUSED(CAUSAL_ERROR_MEMORY, numbers, HUGE_SIZE / 16, "selection");
#undef REFUSED
    TRUE(trainer == NULL);
    OK(causal_model_free(model));
}

static causal_trainer *set[4];
static size_t set_count;

/* Refused as a whole: no state was written, and no trainer has moved. */
static void refused(causal_status status, const char *part) {
    size_t k, epoch, done;
    states[0] = untouched;
    EXPECT(status, causal_trainer_run_all(set, set_count, INFINITY, states));
    expect_text(part);
    TRUE(states[0] == untouched);
    for (k = 0; k < 2; k++) {
        OK(causal_trainer_progress(set[k], &epoch, &done, NULL));
        TRUE(epoch == 0 && done == 0);
    }
}

static int busy_inside(void *context, size_t epoch, const causal_epoch *result) {
    (void)epoch, (void)result;
    EXPECT(CAUSAL_ERROR_BUSY, causal_trainer_run_all((causal_trainer *const *)context, 2, 0, states));
    expect_text("trainers[1]: the trainer is busy");
    return 0;
}

static void misuse(void) {
    static float buffers[2 * PARAMETERS];
    causal_model *a = new_model(0), *b = new_model(1);
    causal_trainer *first = new_trainer(a, NULL, 1, 0.05), *second = new_trainer(b, NULL, 1, 0.05), *more, *stale;
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    EXPECT(CAUSAL_ERROR_NULL, causal_trainer_run_all(NULL, 0, INFINITY, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_trainer_run_all(NULL, 2, INFINITY, NULL));
    OK(causal_trainer_run_all(&first, 0, INFINITY, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_trainer_run_all(&first, 1, NAN, NULL));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_trainer_run_all(&first, HUGE_SIZE, INFINITY, NULL));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_trainer_run_all(&first, HUGE_SIZE / 16, INFINITY, NULL));

    set[0] = first;
    set[1] = second;
    set_count = 3;
    refused(CAUSAL_ERROR_NULL, "trainers[2]: trainer is NULL");
    set[2] = (causal_trainer *)a;
    refused(CAUSAL_ERROR_HANDLE, "trainers[2]: a model's handle");
    set[2] = (causal_trainer *)buffers;
    refused(CAUSAL_ERROR_HANDLE, "trainers[2]: not a handle");
    stale = new_trainer(a, NULL, 1, 0.05);
    OK(causal_trainer_free(stale));
    set[2] = stale;
    refused(CAUSAL_ERROR_HANDLE, "trainers[2]: the trainer's handle is stale");
    set[2] = first;
    refused(CAUSAL_ERROR_VALUE, "trainers[2]: the same trainer as trainers[0]");
    set[2] = more = new_trainer(b, NULL, 1, 0.05);
    refused(CAUSAL_ERROR_VALUE, "trainers[2] changes the same parameters as trainers[1]");
    OK(causal_trainer_free(more));
    set[2] = more = new_trainer(b, NULL, 0, 0.05);
    refused(CAUSAL_ERROR_STATE, "trainers[2]: its rows come batch by batch");
    OK(causal_trainer_free(more));

    /* Two buffers for one model, which overlap, and which do not. */
    set[2] = more = new_trainer(a, buffers, 1, 0.05);
    set[3] = stale = new_trainer(b, buffers + PARAMETERS - 1, 1, 0.05);
    set_count = 4;
    refused(CAUSAL_ERROR_VALUE, "trainers[3] changes the same parameters as trainers[2]");
    OK(causal_trainer_free(stale));
    set[3] = stale = new_trainer(a, buffers + PARAMETERS, 1, 0.05);

    /* A trainer that another call is using. */
    data.x = x;
    data.y = y;
    data.rows = ROWS;
    data.x_columns = INPUTS;
    data.y_columns = 1;
    options.epochs = 1;
    options.callback = busy_inside;
    options.context = set;
    OK(causal_trainer_free(second));
    OK(causal_trainer_create(&second, b, NULL, &data, NULL, &options));
    set[1] = second;
    OK(causal_trainer_run(second, INFINITY, NULL));

    /* A model whose handle is gone lives on in its trainers. */
    OK(causal_model_free(a));
    OK(causal_trainer_run_all(set, 4, INFINITY, states));
    TRUE(states[0] == CAUSAL_TRAINER_FINISHED && states[3] == CAUSAL_TRAINER_FINISHED);
    TRUE(memcmp(buffers, buffers + PARAMETERS, PARAMETERS * sizeof buffers[0]) == 0 && buffers[0] != 0);
    OK(causal_trainer_free(first));
    OK(causal_trainer_free(second));
    OK(causal_trainer_free(more));
    OK(causal_trainer_free(stale));
    OK(causal_model_free(b));
}

int main(void) {
    make_rows();
    OK(causal_set_threads(2));
    together(INFINITY);
    together(0);
    rows_of_its_own();
    rows_that_are_not_there();
    misuse();
    if (failures == 0) printf("trainers: together as alone, and every other call was refused as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Scenarios as they should not be: what an edit cannot be is found out when it is added, and what does not fit when it is used. */
#include "structural.h"

static uint8_t flags[ROWS * N];

static int fails(void *context, const double *arguments, size_t rows, size_t columns, double *result) {
    (void)context, (void)arguments, (void)rows, (void)columns, (void)result;
    return 7;
}

static int says(void *context, const double *arguments, size_t rows, size_t columns, double *result) {
    size_t i;
    (void)arguments, (void)columns;
    for (i = 0; i < rows; i++) result[i] = *(double *)context;
    return 0;
}

/* The model and the scenario are asked, changed and freed from inside the question. */
typedef struct meddling {
    causal_structural_model *model;
    causal_scenario *scenario;
} meddling;

static int meddles(void *context, const double *arguments, size_t rows, size_t columns, double *result) {
    const meddling *with = (const meddling *)context;
    causal_edit edit = CAUSAL_EDIT_INIT;
    double row[N], one = 1;
    size_t i;
    edit.variable = "y";
    edit.values = &one;
    edit.value_count = 1;
    OK(causal_scenario_add(with->scenario, &edit));
    OK(causal_structural_model_sample(with->model, NULL, 0, 1, 0, NULL, row, 1, N));
    EXPECT(CAUSAL_ERROR_BUSY, causal_structural_model_free(with->model));
    for (i = 0; i < rows; i++) result[i] = arguments[i * columns];
    return 0;
}

static void edits(causal_structural_model *model) {
    const char *const reads[2] = {"x", "y"}, *const strange[2] = {"x", "nobody"}, *const hole[2] = {"x", NULL}, *const effect[1] = {"z"};
    double value = 1, several[3] = {1, 2, 3};
    meddling with;
    causal_scenario *scenario;
    const causal_edit clean = CAUSAL_EDIT_INIT;
    causal_edit of_nobody = CAUSAL_EDIT_INIT;
    causal_scenario *other;
    causal_edit edit = CAUSAL_EDIT_INIT;
    int i;
    edit.variable = "y";
    edit.values = &value;
    edit.value_count = 1;
    EXPECT(CAUSAL_ERROR_NULL, causal_scenario_create(NULL));
    of_nobody.kind = CAUSAL_EDIT_SHIFT;
    of_nobody.variable = "nobody";
    of_nobody.values = &value;
    of_nobody.value_count = 1;
    OK(causal_scenario_create(&scenario));
    EXPECT(CAUSAL_ERROR_NULL, causal_scenario_add(scenario, NULL));
#define ADD(field, wrong, status) \
    do { \
        causal_edit right = edit; \
        edit.field = wrong; \
        EXPECT(status, causal_scenario_add(scenario, &edit)); \
        edit = right; \
    } while (0)
    ADD(size, 0, CAUSAL_ERROR_VALUE);
    ADD(size, HUGE_SIZE, CAUSAL_ERROR_VALUE);
    ADD(variable, NULL, CAUSAL_ERROR_NULL);
    ADD(variable, "\xc3", CAUSAL_ERROR_VALUE);
    ADD(kind, (causal_edit_kind)99, CAUSAL_ERROR_VALUE);
    ADD(kind, (causal_edit_kind)-1, CAUSAL_ERROR_VALUE);
    ADD(values, NULL, CAUSAL_ERROR_NULL);
    ADD(value_count, 0, CAUSAL_ERROR_SHAPE);
    edit.rows = flags;
    edit.condition = says;
    edit.condition_context = &value;
    edit.condition_reads = reads;
    for (i = 0; i < ABSURD; i++) {
        ADD(value_count, absurd[i], CAUSAL_ERROR_MEMORY);
        ADD(row_count, absurd[i], CAUSAL_ERROR_MEMORY);
        ADD(condition_read_count, absurd[i], CAUSAL_ERROR_MEMORY);
    }
    edit.condition_read_count = 1;
    ADD(condition_reads, NULL, CAUSAL_ERROR_NULL);
    edit.condition_read_count = 2;
    ADD(condition_reads, hole, CAUSAL_ERROR_NULL);
    edit.condition_read_count = 0;
    edit.condition = NULL;
    edit.rows = NULL;
    edit.kind = CAUSAL_EDIT_CLAMP;
    edit.upper = 0;
    ADD(lower, NAN, CAUSAL_ERROR_VALUE);
    ADD(upper, NAN, CAUSAL_ERROR_VALUE);
    ADD(lower, 1, CAUSAL_ERROR_VALUE);
    edit.kind = CAUSAL_EDIT_COMPUTE;
    edit.function = says;
    edit.context = &value;
    edit.reads = reads;
    ADD(function, NULL, CAUSAL_ERROR_NULL);
    for (i = 0; i < ABSURD; i++) ADD(read_count, absurd[i], CAUSAL_ERROR_MEMORY);
    edit.read_count = 1;
    ADD(reads, NULL, CAUSAL_ERROR_NULL);
    edit.kind = CAUSAL_EDIT_LINEAR;
    edit.value_count = 2;
    edit.values = several;
    ADD(lower, NAN, CAUSAL_ERROR_VALUE);
    ADD(lower, 1, CAUSAL_ERROR_VALUE);
    ADD(values, NULL, CAUSAL_ERROR_NULL);
    ADD(reads, NULL, CAUSAL_ERROR_NULL);
    for (i = 0; i < ABSURD; i++) ADD(value_count, absurd[i], CAUSAL_ERROR_MEMORY);
    edit.kind = CAUSAL_EDIT_UNIT;
    ADD(layer, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    ADD(unit, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    ADD(values, NULL, CAUSAL_ERROR_NULL);
    edit.kind = CAUSAL_EDIT_INTERCHANGE_UNIT;
    ADD(layer, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    edit.kind = CAUSAL_EDIT_INTERCHANGE;
    ADD(source, NULL, CAUSAL_ERROR_NULL);
    ADD(source, (const causal_scenario *)model, CAUSAL_ERROR_HANDLE);
    ADD(source, scenario, CAUSAL_OK);
    edit.kind = CAUSAL_EDIT_MECHANISM;
    ADD(function, NULL, CAUSAL_ERROR_NULL);
    ADD(values, NULL, CAUSAL_ERROR_NULL);
    ADD(reads, NULL, CAUSAL_ERROR_NULL);
    ADD(model, (const causal_structural_model *)scenario, CAUSAL_ERROR_HANDLE);
    edit.model = model;
    ADD(variable, "nobody", CAUSAL_ERROR_NAME);
    edit.model = NULL;
    edit.values = &value;
    edit.value_count = 1;
    OK(causal_scenario_free(scenario));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_scenario_free(scenario));
    edit.kind = CAUSAL_EDIT_COMPUTE;
    edit.upper = clean.upper;

    /* What is found out where it is used: one edit, two rows. */
#define USE(status) \
    do { \
        OK(causal_scenario_create(&scenario)); \
        OK(causal_scenario_add(scenario, &edit)); \
        EXPECT(status, causal_structural_model_sample(model, scenario, HUGE_SIZE, 1, 0, NULL, answer[0], 2, N)); \
        EXPECT(status, causal_structural_model_counterfactual(model, data[0], NULL, scenario, 0, 1, NULL, answer[0], 2, N)); \
        OK(causal_scenario_free(scenario)); \
    } while (0)
#define USE_WITH(field, wrong, status) \
    do { \
        causal_edit right = edit; \
        edit.field = wrong; \
        USE(status); \
        edit = right; \
    } while (0)
    USE(CAUSAL_OK);
    USE_WITH(variable, "nobody", CAUSAL_ERROR_NAME);
    USE_WITH(variable, "", CAUSAL_ERROR_NAME);
    USE_WITH(function, fails, CAUSAL_ERROR_STATE);
    USE_WITH(reads, effect, CAUSAL_ERROR_CYCLE);
    value = NAN;
    USE(CAUSAL_ERROR_VALUE);
    value = INFINITY;
    USE(CAUSAL_ERROR_VALUE);
    value = 1.5;
    USE_WITH(variable, "z", CAUSAL_ERROR_VALUE);
    edit.read_count = 2;
    USE_WITH(reads, strange, CAUSAL_ERROR_NAME);
    /* Formula and noise, the variable's own first; a mechanism of the model itself; a policy. */
    edit.read_count = 1;
    edit.kind = CAUSAL_EDIT_MECHANISM;
    value = 1;
    edit.value_count = 0;
    USE(CAUSAL_OK);
    edit.value_count = 1;
    USE(CAUSAL_OK);
    USE_WITH(variable, "z", CAUSAL_ERROR_VALUE);
    USE_WITH(reads, effect, CAUSAL_ERROR_CYCLE);
    USE_WITH(function, fails, CAUSAL_ERROR_STATE);
    value = NAN;
    USE(CAUSAL_ERROR_VALUE);
    value = 1;
    edit.model = model;
    USE(CAUSAL_OK);
    edit.model = NULL;
    edit.kind = CAUSAL_EDIT_LINEAR;
    USE(CAUSAL_ERROR_SHAPE);
    edit.values = several;
    edit.value_count = 2;
    USE(CAUSAL_OK);
    USE_WITH(variable, "z", CAUSAL_ERROR_VALUE);
    USE_WITH(variable, "x", CAUSAL_ERROR_CYCLE);        /* which it reads */
    USE_WITH(reads, effect, CAUSAL_ERROR_VALUE);        /* of three levels */
    several[1] = INFINITY;
    USE(CAUSAL_ERROR_VALUE);
    several[1] = 2;
    /* Units, of which a linear mechanism has none; and what y is in another run. */
    edit.values = &value;
    edit.value_count = 1;
    edit.kind = CAUSAL_EDIT_UNIT;
    USE(CAUSAL_ERROR_NAME);
    OK(causal_scenario_create(&other));
    edit.source = other;
    edit.kind = CAUSAL_EDIT_INTERCHANGE_UNIT;
    USE(CAUSAL_ERROR_NAME);
    edit.kind = CAUSAL_EDIT_INTERCHANGE;
    USE(CAUSAL_OK);
    OK(causal_scenario_add(other, &of_nobody));
    USE(CAUSAL_ERROR_NAME);                             /* of a variable in the other run */
    OK(causal_scenario_free(other));
    OK(causal_scenario_create(&other));
    edit.source = other;
    for (i = 0; i < 16; i++) OK(causal_scenario_add(other, &edit));      /* each of what was there before */
    EXPECT(CAUSAL_ERROR_VALUE, causal_scenario_add(other, &edit));
    OK(causal_scenario_free(other));
    edit.source = NULL;
    edit.values = &value;
    edit.value_count = 1;
    value = 1.5;
    edit.kind = CAUSAL_EDIT_SET;
    edit.condition = fails;
    USE(CAUSAL_ERROR_STATE);
    edit.condition = says;
    edit.condition_reads = effect;
    edit.condition_read_count = 1;
    USE(CAUSAL_ERROR_CYCLE);
    edit.condition_reads = reads;
    USE(CAUSAL_OK);
    edit.condition = NULL;
    USE_WITH(variable, "z", CAUSAL_ERROR_VALUE);    /* of which 1.5 is no level */
    value = NAN;
    USE(CAUSAL_ERROR_VALUE);
    USE_WITH(kind, CAUSAL_EDIT_SHIFT, CAUSAL_ERROR_VALUE);
    value = INFINITY;
    USE_WITH(kind, CAUSAL_EDIT_SCALE, CAUSAL_ERROR_VALUE);
    value = 1;
    edit.variable = "z";
    USE_WITH(kind, CAUSAL_EDIT_SHIFT, CAUSAL_ERROR_VALUE);
    edit.variable = "y";
    edit.values = several;
    USE_WITH(value_count, 3, CAUSAL_ERROR_SHAPE);
    USE_WITH(value_count, 2, CAUSAL_OK);
    edit.rows = flags;
    USE_WITH(row_count, 0, CAUSAL_ERROR_SHAPE);
    USE_WITH(row_count, 3, CAUSAL_ERROR_SHAPE);
    USE_WITH(row_count, 2, CAUSAL_OK);
    edit.rows = NULL;
#undef ADD
#undef USE
#undef USE_WITH
    /* Set twice. */
    OK(causal_scenario_create(&scenario));
    OK(causal_scenario_add(scenario, &edit));
    OK(causal_scenario_add(scenario, &edit));
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_model_sample(model, scenario, 0, 1, 0, NULL, answer[0], 2, N));
    OK(causal_scenario_free(scenario));

    OK(causal_scenario_create(&scenario));
    with.model = model;
    with.scenario = scenario;
    edit.kind = CAUSAL_EDIT_COMPUTE;
    edit.function = meddles;
    edit.context = &with;
    edit.read_count = 1;
    OK(causal_scenario_add(scenario, &edit));
    OK(causal_structural_model_sample(model, scenario, 0, 1, 0, NULL, answer[0], 2, N));
    OK(causal_scenario_free(scenario));
}

/* A policy that is a network: y of x, by two units. */
static void networks(causal_structural_model *model) {
    static const size_t none[1] = {0}, huge[1] = {HUGE_SIZE}, large[1] = {HUGE_SIZE / 4}, two[1] = {2};
    const char *const reads[1] = {"x"}, *const effect[1] = {"z"};
    double numbers[7] = {1, -1, 0.5, 0, 2, 1, -0.5}, scales[2] = {0.1, 2}, gradient[2][N] = {{0, 1, 0}, {0, 1, 0}}, found[7], seen;
    causal_scenario *scenario;
    causal_edit edit = CAUSAL_EDIT_INIT;
    int i;
    edit.variable = "y";
    edit.kind = CAUSAL_EDIT_NETWORK;
    edit.values = numbers;
    edit.value_count = 7;
    edit.lower = -1;
    edit.upper = 3;
    edit.reads = reads;
    edit.read_count = 1;
    edit.hidden = two;
    edit.hidden_count = 1;
    edit.activation = "tanh";
    edit.scales = scales;
#define TRY(field, wrong, status, used) \
    do { \
        causal_edit right = edit; \
        edit.field = wrong; \
        OK(causal_scenario_create(&scenario)); \
        EXPECT(status, causal_scenario_add(scenario, &edit)); \
        EXPECT(used, causal_structural_model_sample(model, scenario, 0, 1, 0, NULL, answer[0], 2, N)); \
        OK(causal_scenario_free(scenario)); \
        edit = right; \
    } while (0)
    TRY(values, NULL, CAUSAL_ERROR_NULL, CAUSAL_OK);
    TRY(reads, NULL, CAUSAL_ERROR_NULL, CAUSAL_OK);
    TRY(hidden, NULL, CAUSAL_ERROR_NULL, CAUSAL_OK);
    TRY(hidden, huge, CAUSAL_ERROR_MEMORY, CAUSAL_OK);
    TRY(activation, NULL, CAUSAL_ERROR_NULL, CAUSAL_OK);
    TRY(activation, "wavy", CAUSAL_ERROR_VALUE, CAUSAL_OK);
    TRY(lower, NAN, CAUSAL_ERROR_VALUE, CAUSAL_OK);
    TRY(lower, 4, CAUSAL_ERROR_VALUE, CAUSAL_OK);
    for (i = 0; i < ABSURD; i++) {
        TRY(value_count, absurd[i], CAUSAL_ERROR_MEMORY, CAUSAL_OK);
        TRY(hidden_count, absurd[i], CAUSAL_ERROR_MEMORY, CAUSAL_OK);
        TRY(read_count, absurd[i], CAUSAL_ERROR_MEMORY, CAUSAL_OK);
    }
    TRY(value_count, 6, CAUSAL_OK, CAUSAL_ERROR_SHAPE);
    TRY(value_count, 0, CAUSAL_OK, CAUSAL_ERROR_SHAPE);
    TRY(read_count, 0, CAUSAL_OK, CAUSAL_ERROR_VALUE);
    TRY(hidden, none, CAUSAL_OK, CAUSAL_ERROR_VALUE);
    TRY(hidden, large, CAUSAL_OK, CAUSAL_ERROR_MEMORY);
    TRY(hidden_count, 0, CAUSAL_OK, CAUSAL_ERROR_SHAPE);
    TRY(upper, INFINITY, CAUSAL_OK, CAUSAL_ERROR_VALUE);
    TRY(variable, "z", CAUSAL_OK, CAUSAL_ERROR_VALUE);
    TRY(variable, "x", CAUSAL_OK, CAUSAL_ERROR_CYCLE);
    TRY(reads, effect, CAUSAL_OK, CAUSAL_ERROR_SHAPE);      /* of three levels, and so wider */
    scales[1] = 0;
    TRY(size, sizeof edit, CAUSAL_OK, CAUSAL_ERROR_VALUE);
    scales[1] = 2;
    numbers[3] = NAN;
    TRY(size, sizeof edit, CAUSAL_OK, CAUSAL_ERROR_VALUE);
    numbers[3] = 0;

    OK(causal_scenario_create(&scenario));
    OK(causal_scenario_add(scenario, &edit));
    OK(causal_structural_model_sample(model, scenario, 0, 1, 0, NULL, answer[0], 2, N));
    seen = 2 * tanh((answer[1][X] - 0.1) / 2 + 0.5) + tanh((0.1 - answer[1][X]) / 2) - 0.5;
    TRUE(fabs(answer[1][Y] - (-1 + 4 / (1 + exp(-seen)))) < 1e-12);
    OK(causal_structural_model_gradient(model, scenario, 0, 1, 0, gradient[0], 2, N, found, 7));
    seen = (answer[0][Y] + 1) * (3 - answer[0][Y]) / 4 + (answer[1][Y] + 1) * (3 - answer[1][Y]) / 4;       /* of the last bias */
    TRUE(fabs(found[6] - seen) < 1e-12);
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_gradient(model, scenario, 0, 1, 0, gradient[0], 2, N, found, 6));
    OK(causal_scenario_free(scenario));
#undef TRY
}

int main(void) {
    causal_structural_model *model;
    make_data();
    model = new_model(MEMBERS);
    edits(model);
    networks(model);
    OK(causal_structural_model_free(model));
    if (failures == 0) printf("scenario: every edit was answered as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

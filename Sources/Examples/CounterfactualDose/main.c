/* Learns who got which dose and what came of it, then asks what would have come of another dose.
 *
 *     age -> dose,  age -> outcome,  dose -> outcome = 3 dose - 0.1 age + noise
 *
 *     cc -Iinclude main.c -lCausal -lm -o dose && ./dose
 */
#include <causal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { AGE, DOSE, OUTCOME, COUNT, ROWS = 1000, DRAWS = 10000 };
static const char *const names[COUNT] = {"age", "dose", "outcome"};

static void check(causal_status status) {
    if (status == CAUSAL_OK) return;
    fprintf(stderr, "%s: %s\n", causal_status_name(status), causal_last_error());
    exit(EXIT_FAILURE);
}

static double noise(void) { /* of variance 1 */
    static uint32_t state = 1;
    double sum = 0;
    int i;
    for (i = 0; i < 12; i++) sum += (state = state * 1664525u + 1013904223u) / 4294967296.0;
    return sum - 6;
}

static double mean_outcome(const causal_structural_model *model, const causal_scenario *scenario) {
    static double rows[DRAWS][COUNT];
    double sum = 0;
    int i;
    check(causal_structural_model_sample(model, scenario, 0, 1, 0, NULL, &rows[0][0], DRAWS, COUNT));
    for (i = 0; i < DRAWS; i++) sum += rows[i][OUTCOME];
    return sum / DRAWS;
}

static causal_scenario *dose(causal_edit_kind kind, double value) {
    causal_edit edit = CAUSAL_EDIT_INIT;
    causal_scenario *scenario;
    edit.variable = names[DOSE];
    edit.kind = kind;
    edit.values = &value;
    edit.value_count = 1;
    check(causal_scenario_create(&scenario));
    check(causal_scenario_add(scenario, &edit));
    return scenario;
}

int main(int count, char **arguments) {
    static double rows[ROWS][COUNT];
    const double patient[COUNT] = {60, 5, 11}; /* 2 more than is usual at this age and dose */
    double answer[COUNT];
    uint8_t edges[COUNT][COUNT] = {{0}};
    const char *path = count > 1 ? arguments[1] : "dose.safetensors";
    causal_graph *graph;
    causal_structural_options options = CAUSAL_STRUCTURAL_OPTIONS_INIT;
    causal_structural_trainer *trainer;
    causal_structural_model *model;
    causal_scenario *high = dose(CAUSAL_EDIT_SET, 7), *low = dose(CAUSAL_EDIT_SET, 5), *more = dose(CAUSAL_EDIT_SHIFT, 1);
    causal_mechanism mechanisms[COUNT] = {CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT};
    int i;

    edges[AGE][DOSE] = edges[AGE][OUTCOME] = edges[DOSE][OUTCOME] = 1;
    check(causal_graph_create(&graph, &edges[0][0], COUNT, names));
    for (i = 0; i < ROWS; i++) {
        rows[i][AGE] = 60 + 10 * noise();
        rows[i][DOSE] = rows[i][AGE] / 10 + noise();
        rows[i][OUTCOME] = 3 * rows[i][DOSE] - 0.1 * rows[i][AGE] + noise();
    }
    for (i = 0; i < COUNT; i++) mechanisms[i].kind = "linear";
    check(causal_structural_trainer_create(&trainer, graph, mechanisms, &rows[0][0], NULL, ROWS, COUNT, &options));
    check(causal_structural_trainer_run(trainer, INFINITY, NULL));
    check(causal_structural_trainer_model(trainer, &model));
    check(causal_structural_trainer_free(trainer));
    check(causal_graph_free(graph));

    printf("E[outcome | do(dose = 7)] - E[outcome | do(dose = 5)]: %.1f\n", mean_outcome(model, high) - mean_outcome(model, low));
    check(causal_structural_model_save(model, path, "by an example"));
    check(causal_structural_model_free(model));
    check(causal_structural_model_load(&model, path));
    check(causal_structural_model_counterfactual(model, patient, NULL, more, 0, 0, NULL, answer, 1, COUNT));
    printf("this patient, with a dose of %.1f instead of %.1f: %.1f instead of %.1f\n", answer[DOSE], patient[DOSE], answer[OUTCOME], patient[OUTCOME]);

    check(causal_structural_model_free(model));
    check(causal_scenario_free(high));
    check(causal_scenario_free(low));
    check(causal_scenario_free(more));
    return EXIT_SUCCESS;
}

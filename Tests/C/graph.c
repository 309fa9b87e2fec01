/* Graphs under wrong handles, NULL and sizes that lie, and the questions that no graph can answer: a status each, and no crash. */
#include "check.h"

enum { N = 3 };
static uint8_t bytes[64];
static float numbers[64];
static double doubles[64];
static size_t sizes[64];

static void bad_graph(causal_graph *g, causal_status s) {
    causal_graph *out;
    int answer;
    EXPECT(s, causal_graph_variable_count(g, sizes));
    EXPECT(s, causal_graph_adjacency(g, bytes, N));
    EXPECT(s, causal_graph_parents(g, 0, sizes, sizes));
    EXPECT(s, causal_graph_children(g, 0, sizes, sizes));
    EXPECT(s, causal_graph_ancestors(g, 0, sizes, sizes));
    EXPECT(s, causal_graph_descendants(g, 0, sizes, sizes));
    EXPECT(s, causal_graph_topological_order(g, sizes));
    EXPECT(s, causal_graph_find_cycle(g, sizes, sizes));
    EXPECT(s, causal_graph_intervene(g, bytes, N, &out));
    EXPECT(s, causal_graph_mask_edges(g, bytes, numbers, CAUSAL_FLOAT32, N, N, doubles));
    EXPECT(s, causal_graph_confound(g, bytes, N, &out));
    EXPECT(s, causal_graph_confounded(g, bytes, N));
    EXPECT(s, causal_graph_link(g, bytes, N, &out));
    EXPECT(s, causal_graph_linked(g, bytes, N));
    EXPECT(s, causal_graph_equivalence_class(g, NULL, 0, N, &out));
    EXPECT(s, causal_graph_hide(g, bytes, N, &out));
    EXPECT(s, causal_graph_districts(g, sizes));
    EXPECT(s, causal_graph_is_separated(g, bytes, bytes, NULL, N, &answer));
    EXPECT(s, causal_graph_is_back_door_set(g, bytes, bytes, bytes, N, &answer));
    EXPECT(s, causal_graph_back_door_sets(g, bytes, bytes, NULL, N, bytes, 1, sizes));
    EXPECT(s, causal_graph_is_identified(g, bytes, bytes, N, &answer));
    EXPECT(s, causal_graph_confounded_mechanisms(g, bytes, bytes, N, 1, sizes, sizes));
    if (g != NULL) EXPECT(s, causal_graph_free(g));
}

static void graphs(void) {
    static const uint8_t chain[N * N] = {0, 1, 0, 0, 0, 1, 0, 0, 0}, ring[N * N] = {0, 1, 0, 0, 0, 1, 1, 0, 0};
    const char *const twice[N] = {"a", "b", "a"}, *const hole[N] = {"a", NULL, "c"}, *const blank[N] = {"a", "", "c"};
    causal_graph *graph, *rewired;
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_create(NULL, chain, N, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_create(&graph, NULL, N, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_create(&graph, chain, N, hole));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_create(&graph, chain, 0, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_create(&graph, chain, HUGE_SIZE, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_create(&graph, chain, N, twice));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_create(&graph, chain, N, blank));
    OK(causal_graph_create(&graph, ring, N, NULL));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_topological_order(graph, sizes));
    OK(causal_graph_free(graph));
    OK(causal_graph_create(&graph, chain, N, NULL));
    EXPECT(CAUSAL_ERROR_NAME, causal_graph_parents(graph, N, sizes, sizes));
    EXPECT(CAUSAL_ERROR_NAME, causal_graph_descendants(graph, HUGE_SIZE, sizes, sizes));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_parents(graph, 0, NULL, sizes));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_parents(graph, 0, sizes, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_adjacency(graph, bytes, N + 1));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_intervene(graph, bytes, N - 1, &rewired));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_intervene(graph, bytes, N, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_mask_edges(graph, bytes, numbers, CAUSAL_FLOAT32, N, N + 1, doubles));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_graph_mask_edges(graph, bytes, numbers, CAUSAL_FLOAT32, HUGE_SIZE, N, doubles));
    EXPECT(CAUSAL_ERROR_DTYPE, causal_graph_mask_edges(graph, bytes, numbers, (causal_dtype)7, N, N, doubles));
    OK(causal_graph_free(graph));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_graph_free(graph));
}

static void questions_to_graphs(void) {
    static const uint8_t chain[N * N] = {0, 1, 0, 0, 0, 1, 0, 0, 0}, ring[N * N] = {0, 1, 0, 0, 0, 1, 1, 0, 0};
    static const uint8_t itself[N * N] = {0, 0, 0, 0, 1, 0, 0, 0, 0}, ends[N * N] = {0, 0, 1, 0, 0, 0, 0, 0, 0};
    static const uint8_t none[N] = {0, 0, 0}, all[N] = {1, 1, 1}, first[N] = {1, 0, 0}, second[N] = {0, 1, 0}, third[N] = {0, 0, 1};
    causal_graph *graph, *cyclic, *hidden;
    int answer = -1;
    OK(causal_graph_create(&graph, chain, N, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_confound(graph, NULL, N, &hidden));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_confound(graph, ends, N, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_confound(graph, ends, N - 1, &hidden));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_confound(graph, ends, HUGE_SIZE, &hidden));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_confound(graph, itself, N, &hidden));
    OK(causal_graph_confound(graph, ends, N, &hidden));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_confounded(hidden, NULL, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_confounded(hidden, bytes, N + 1));
    OK(causal_graph_confounded(hidden, bytes, N));
    TRUE(bytes[2] && bytes[6] && !bytes[1]);
    memset(bytes, 0, sizeof bytes);
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_link(graph, NULL, N, &cyclic));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_link(graph, ends, N, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_link(graph, ends, HUGE_SIZE, &cyclic));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_link(graph, itself, N, &cyclic));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_link(graph, chain, N, &cyclic));
    OK(causal_graph_link(graph, ends, N, &cyclic));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_linked(cyclic, NULL, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_linked(cyclic, bytes, N + 1));
    OK(causal_graph_linked(cyclic, bytes, N));
    TRUE(bytes[2] && bytes[6] && !bytes[1] && !bytes[3]);
    memset(bytes, 0, sizeof bytes);
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_is_separated(cyclic, first, third, NULL, N, &answer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_equivalence_class(cyclic, NULL, 0, N, &hidden));
    OK(causal_graph_free(cyclic));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_equivalence_class(graph, NULL, 0, N, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_equivalence_class(graph, NULL, 1, N, &cyclic));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_equivalence_class(graph, first, 1, N + 1, &cyclic));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_graph_equivalence_class(graph, first, HUGE_SIZE, N, &cyclic));
    OK(causal_graph_equivalence_class(graph, NULL, 0, N, &cyclic));
    OK(causal_graph_linked(cyclic, bytes, N));
    TRUE(bytes[1] && bytes[3] && bytes[5] && !bytes[2]);
    OK(causal_graph_free(cyclic));
    OK(causal_graph_equivalence_class(graph, first, 1, N, &cyclic));
    OK(causal_graph_linked(cyclic, bytes, N));
    TRUE(!bytes[1] && !bytes[5]);
    memset(bytes, 0, sizeof bytes);
    OK(causal_graph_free(cyclic));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_hide(graph, NULL, N, &cyclic));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_hide(graph, first, N, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_hide(graph, first, HUGE_SIZE, &cyclic));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_hide(graph, all, N, &cyclic));
    OK(causal_graph_hide(graph, second, N, &cyclic));
    OK(causal_graph_variable_count(cyclic, sizes));
    TRUE(sizes[0] == N - 1);
    OK(causal_graph_free(cyclic));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_districts(hidden, NULL));
    OK(causal_graph_districts(hidden, sizes));
    TRUE(sizes[0] == 0 && sizes[1] == 1 && sizes[2] == 0);

    EXPECT(CAUSAL_ERROR_NULL, causal_graph_is_separated(graph, NULL, third, second, N, &answer));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_is_separated(graph, first, NULL, second, N, &answer));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_is_separated(graph, first, third, second, N, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_is_separated(graph, first, third, second, HUGE_SIZE, &answer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_is_separated(graph, first, first, second, N, &answer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_is_separated(graph, first, third, third, N, &answer));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_is_back_door_set(graph, NULL, first, third, N, &answer));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_is_back_door_set(graph, second, first, third, N, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_is_back_door_set(graph, third, first, third, N, &answer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_is_back_door_set(graph, second, none, third, N, &answer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_back_door_sets(graph, first, none, NULL, N, bytes, 1, sizes));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_back_door_sets(graph, first, third, NULL, N, NULL, 1, sizes));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_back_door_sets(graph, first, third, NULL, N, bytes, 1, NULL));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_graph_back_door_sets(graph, first, third, NULL, N, bytes, HUGE_SIZE, sizes));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_graph_back_door_sets(graph, first, third, NULL, N, bytes, HUGE_SIZE / 4, sizes));
    OK(causal_graph_back_door_sets(graph, first, third, NULL, N, NULL, 0, sizes));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_is_identified(graph, first, NULL, N, &answer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_graph_is_identified(graph, first, first, N, &answer));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_confounded_mechanisms(graph, first, third, N, 1, NULL, sizes));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_confounded_mechanisms(graph, first, third, N, 1, sizes, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_graph_confounded_mechanisms(graph, first, third, 0, 1, sizes, sizes));

    OK(causal_graph_create(&cyclic, ring, N, NULL));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_hide(cyclic, first, N, &hidden));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_is_separated(cyclic, first, third, NULL, N, &answer));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_is_back_door_set(cyclic, none, first, third, N, &answer));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_back_door_sets(cyclic, first, third, NULL, N, bytes, 1, sizes));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_is_identified(cyclic, first, third, N, &answer));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_graph_confounded_mechanisms(cyclic, first, third, N, 1, sizes, sizes));
    OK(causal_graph_free(cyclic));
    OK(causal_graph_free(hidden));
    OK(causal_graph_free(graph));
}

int main(void) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_graph *stale;
    causal_model *model;
    options.inputs = options.outputs = 1;
    OK(causal_model_create_mlp(&model, &options));
    OK(causal_graph_create(&stale, bytes, 1, NULL));
    OK(causal_graph_free(stale));
    OK(causal_graph_free(NULL));
    bad_graph(NULL, CAUSAL_ERROR_NULL);
    bad_graph(stale, CAUSAL_ERROR_HANDLE);
    bad_graph((causal_graph *)(void *)bytes, CAUSAL_ERROR_HANDLE);
    bad_graph((causal_graph *)UINTPTR_MAX, CAUSAL_ERROR_HANDLE);
    bad_graph((causal_graph *)model, CAUSAL_ERROR_HANDLE);
    OK(causal_model_free(model));
    graphs();
    questions_to_graphs();
    if (failures == 0) printf("graph: every call was refused as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

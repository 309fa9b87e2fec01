/* Checkpoints of structural models: paths that lead nowhere, bytes that are none, are cut off or altered. */
#include "structural.h"

static size_t size;
static char text[64];

static void checkpoints(causal_structural_model *model) {
    static double again[ROWS][N];
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *network;
    causal_structural_model *copy;
    unsigned char *bytes;
    size_t needed = 0, i;
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_save(model, NULL, NULL));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_save(model, "/no/such/folder/file", NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_model_save(model, "never-written.safetensors", "\xff"));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_load(NULL, "never-written.safetensors"));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_load(&copy, NULL));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_load(&copy, "/no/such/file"));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_load(&copy, "/dev/zero"));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_load(&copy, "/"));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_encode(model, NULL, NULL, 0, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_encode(model, NULL, NULL, 8, &needed));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_encode(model, NULL, text, HUGE_SIZE, &needed));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_decode(NULL, "x", 1));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_decode(&copy, NULL, 1));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_decode(&copy, text, HUGE_SIZE));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_decode(&copy, "not a checkpoint", 16));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_decode(&copy, "", 0));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_decode(&copy, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10));

    OK(causal_structural_model_encode(model, "a note", NULL, 0, &needed));
    bytes = (unsigned char *)malloc(needed);
    OK(causal_structural_model_encode(model, "a note", bytes, needed, &needed));
    OK(causal_structural_model_decode(&copy, bytes, needed));
    OK(causal_structural_model_note(copy, text, sizeof text, &size));
    TRUE(size == 6 && strcmp(text, "a note") == 0);
    OK(causal_structural_model_note(copy, text, 3, &size));
    TRUE(size == 6 && strcmp(text, "a ") == 0);
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_note(copy, NULL, 3, &size));
    OK(causal_structural_model_sample(model, NULL, HUGE_SIZE, 9, 0, NULL, answer[0], ROWS, N));
    OK(causal_structural_model_sample(copy, NULL, HUGE_SIZE, 9, 0, NULL, again[0], ROWS, N));
    TRUE(memcmp(answer, again, sizeof answer) == 0);
    OK(causal_structural_model_free(copy));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_decode(&network, bytes, needed));
    for (i = 0; i < needed; i += 1 + i / 64) {
        bytes[i] ^= 1;
        EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_decode(&copy, bytes, needed));
        bytes[i] ^= 1;
        EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_decode(&copy, bytes, i));
    }
    free(bytes);
    options.inputs = options.outputs = 1;
    OK(causal_model_create_mlp(&network, &options));
    OK(causal_model_encode(network, NULL, NULL, NULL, 0, &needed));
    bytes = (unsigned char *)malloc(needed);
    OK(causal_model_encode(network, NULL, NULL, bytes, needed, &needed));
    EXPECT(CAUSAL_ERROR_FILE, causal_structural_model_decode(&copy, bytes, needed));
    free(bytes);
    OK(causal_model_free(network));
}

int main(void) {
    causal_structural_model *model;
    make_data();
    model = new_model(MEMBERS);
    checkpoints(model);
    OK(causal_structural_model_free(model));
    if (failures == 0) printf("structural checkpoint: every file was answered as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A function with the arguments of causal_model_predict that does nothing: what is left of a call from Python is Python's. */
#include <causal.h>

causal_status causal_model_predict(const causal_model *model, const void *parameters,
                                   const void *x, causal_dtype x_dtype, size_t x_rows, size_t x_columns,
                                   const causal_intervention *intervention,
                                   void *y, causal_dtype y_dtype, size_t y_rows, size_t y_columns) {
    (void)model, (void)parameters, (void)x, (void)x_dtype, (void)x_rows, (void)x_columns;
    (void)intervention, (void)y, (void)y_dtype, (void)y_rows, (void)y_columns;
    return CAUSAL_OK;
}

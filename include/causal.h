/*
 * causal.h - the contract of libCausal.so, a neural network engine that understands Pearl's do-operator.
 *
 * do(X = v) replaces a value in the forward pass, at an input or inside the network, and sends no gradient to the
 * causes of X through X. C99 and C++ clean.
 *
 * The rules that hold for every function
 *
 *   Status     Every function returns a causal_status. On anything but CAUSAL_OK nothing was changed, unless the
 *              function says otherwise, and causal_last_error() names what was wrong, what was expected and where.
 *   Handles    Objects are opaque. A function that creates one writes the handle to its first argument; the caller
 *              frees it with the causal_<noun>_free of its kind, once. Freeing NULL does nothing. A handle that is
 *              stale, freed, of another kind or never was one gives CAUSAL_ERROR_HANDLE, never a crash. Objects keep
 *              what they need of each other alive: a trace may outlive its model's handle.
 *   Threads    A `const T *` may be used by many threads at once. A `T *` must have its object to itself: while it
 *              does, every other call on that object returns CAUSAL_ERROR_BUSY. Different objects never disturb
 *              each other. After fork() the child may go on using what it inherited.
 *   Arrays     An array is (data, dtype, rows, columns): dense, row-major, owned by the caller, used only during the
 *              call unless a function says otherwise. A dtype that differs from the model's is CAUSAL_ERROR_DTYPE,
 *              another shape than expected CAUSAL_ERROR_SHAPE. Data may be NULL only where there are no elements.
 *              Overlapping input and output arrays are not allowed.
 *   Masks      Bytes, 0 = left alone, anything else = set by do().
 *   Buffers    `void *parameters` is a flat array of the model's dtype and causal_model_parameter_count() elements,
 *              laid out as causal_model_tensor_shape() tells. NULL stands for the model's own.
 *   Options    Structures that may grow begin with their own size. Start from the CAUSAL_..._INIT macro.
 */
#ifndef CAUSAL_H
#define CAUSAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- the library */

typedef enum causal_status {
    CAUSAL_OK = 0,
    CAUSAL_ERROR_NULL = 1,      /* a required pointer is NULL */
    CAUSAL_ERROR_HANDLE = 2,    /* not a live handle of this kind */
    CAUSAL_ERROR_BUSY = 3,      /* another call has the object to itself, or this one wants it and others use it */
    CAUSAL_ERROR_DTYPE = 4,     /* an array of another dtype than the object's, or no dtype at all */
    CAUSAL_ERROR_SHAPE = 5,     /* an array of another shape than expected */
    CAUSAL_ERROR_VALUE = 6,     /* a number, option or text outside what is allowed */
    CAUSAL_ERROR_NAME = 7,      /* a variable, layer or site that does not exist */
    CAUSAL_ERROR_CYCLE = 8,     /* a graph with a cycle where none is allowed; the message names it */
    CAUSAL_ERROR_FILE = 9,      /* a file that cannot be read or written, or is not a checkpoint */
    CAUSAL_ERROR_MEMORY = 10,   /* more memory than there is, or than a size can count */
    CAUSAL_ERROR_STATE = 11,    /* a call out of order: backward before forward, or after the parameters changed */
    CAUSAL_ERROR_DIVERGED = 12  /* training met a loss, or a weight, that is not finite; see causal_trainer_run, causal_optimizer_step */
} causal_status;

typedef enum causal_dtype { CAUSAL_FLOAT32 = 0, CAUSAL_FLOAT64 = 1 } causal_dtype;

/* "MAJOR.MINOR.PATCH", static. */
causal_status causal_version(const char **version);

/* The message of the last call on this thread that failed, one line; "" if none has. Never NULL. Valid until the
 * next failing call on this thread. */
const char *causal_last_error(void);

/* The name of a status, such as "CAUSAL_ERROR_SHAPE"; static, never NULL. */
const char *causal_status_name(causal_status status);

/* How many threads one call may use: 1 to 1024. The default is CAUSAL_THREADS, or else the number of processors this
 * process may use. Results are the same to the bit for every number. VALUE: out of range. */
causal_status causal_set_threads(size_t threads);
causal_status causal_get_threads(size_t *threads);

/* Threads of the host: runs task(data) on some threads, about `threads` of them, and returns when it has come to an end on all. flags is 0.
 * GOMP_parallel of OpenMP (GNU's and LLVM's) is such a function. */
typedef void (*causal_parallel)(void (*task)(void *data), void *data, unsigned threads, unsigned flags);

/* Has threads of the host do much work, instead of those that the library starts for it; NULL takes them back. For hosts whose threads stay
 * awake between tasks, as those of OpenMP do for milliseconds: others would have to wait for their processors. It is called from any thread,
 * from one at a time. Results are the same to the bit. A process that was forked has to lend its own. */
causal_status causal_lend_threads(causal_parallel parallel);

/* ---------------------------------------------------------------- graph: who causes whom */

/* An immutable directed graph over variables 0 .. count-1, of which pairs may share a hidden cause. */
typedef struct causal_graph causal_graph;

/* adjacency: count x count bytes, row-major, adjacency[i * count + j] != 0 for an edge i -> j. names: count texts, all
 * different, or NULL for "x0", "x1", ... Cycles are accepted here and reported by causal_graph_topological_order.
 * Beside the names it takes four bytes an edge. VALUE: count is 0 or above 65535; a name is empty or repeated. MEMORY: no more. */
causal_status causal_graph_create(causal_graph **graph, const uint8_t *adjacency, size_t count, const char *const *names);
causal_status causal_graph_free(causal_graph *graph);
causal_status causal_graph_variable_count(const causal_graph *graph, size_t *count);
/* Written as causal_model_tensor_name writes. NAME: no such variable. */
causal_status causal_graph_variable_name(const causal_graph *graph, size_t variable, char *name, size_t capacity, size_t *length);
/* Writes count x count bytes, 0 or 1. */
causal_status causal_graph_adjacency(const causal_graph *graph, uint8_t *adjacency, size_t count);
/* Each writes indices in ascending order to `indices`, which has room for the number of variables, and their number to
 * `count`. Neither ancestors nor descendants contain the variable itself, unless it lies on a cycle.
 * NAME: no such variable. */
causal_status causal_graph_parents(const causal_graph *graph, size_t variable, size_t *indices, size_t *count);
causal_status causal_graph_children(const causal_graph *graph, size_t variable, size_t *indices, size_t *count);
causal_status causal_graph_ancestors(const causal_graph *graph, size_t variable, size_t *indices, size_t *count);
causal_status causal_graph_descendants(const causal_graph *graph, size_t variable, size_t *indices, size_t *count);
/* Causes before effects, the smallest index first among equals. `order` has room for every variable.
 * CYCLE: the message names it, as in "x0 -> x2 -> x0". */
causal_status causal_graph_topological_order(const causal_graph *graph, size_t *order);
/* A cycle as the variables along it, each once; *count is 0 in an acyclic graph. `cycle` has room for every variable. */
causal_status causal_graph_find_cycle(const causal_graph *graph, size_t *cycle, size_t *count);
/* The graph after do(): a new one, in which neither edges nor hidden causes reach the variables that `mask` (count bytes) sets. */
causal_status causal_graph_intervene(const causal_graph *graph, const uint8_t *mask, size_t count, causal_graph **rewired);
/* A copy of the matrix `weight`, read as [parent, child], with the columns of the variables that `mask` sets made 0: the
 * edges into them. `masked` has the same dtype and shape; columns = variables. */
causal_status causal_graph_mask_edges(const causal_graph *graph, const uint8_t *mask, const void *weight, causal_dtype dtype,
                                      size_t rows, size_t columns, void *masked);

/* A new graph in which pairs share a hidden cause: i and j where pairs[i * count + j] or pairs[j * count + i] is not 0 (count x count
 * bytes), and those that do already. VALUE: a variable paired with itself. */
causal_status causal_graph_confound(const causal_graph *graph, const uint8_t *pairs, size_t count, causal_graph **confounded);
/* Writes which pairs share a hidden cause, symmetric: count x count bytes, 0 or 1. */
causal_status causal_graph_confounded(const causal_graph *graph, uint8_t *pairs, size_t count);
/* A new graph of the other variables, in their order, when those that `mask` sets are not observed (latent projection): what they passed
 * on goes from their causes straight to their effects, which share hidden causes. VALUE: none is left. CYCLE. */
causal_status causal_graph_hide(const causal_graph *graph, const uint8_t *mask, size_t count, causal_graph **projected);
/* A new graph with edges of unknown direction too, between i and j where pairs[i * count + j] or pairs[j * count + i] is not 0 (count x count
 * bytes). Questions about paths refuse such a graph with VALUE. VALUE: a variable paired with itself, or with one that it has a directed edge with. */
causal_status causal_graph_link(const causal_graph *graph, const uint8_t *pairs, size_t count, causal_graph **linked);
/* Writes which pairs have an edge of unknown direction, symmetric: count x count bytes, 0 or 1. */
causal_status causal_graph_linked(const causal_graph *graph, uint8_t *pairs, size_t count);
/* A new graph of what data can tell of an acyclic one: edges whose direction other graphs that imply the same do not share have none
 * (CPDAG). targets: set_count x count bytes, a set of variables a row that do() set in some rows of the data, which tell more (interventional
 * essential graph); NULL with 0. CYCLE. VALUE: hidden causes, or an edge without direction. */
causal_status causal_graph_equivalence_class(const causal_graph *graph, const uint8_t *targets, size_t set_count, size_t count,
                                             causal_graph **known);
/* The groups that hidden causes connect (c-components): writes to first[v] the smallest variable of the group of v. */
causal_status causal_graph_districts(const causal_graph *graph, size_t *first);

/* Questions about sets of variables, each a mask of `count` bytes. All want an acyclic graph (CYCLE) and sets without a common
 * variable (VALUE), and take time linear in variables and edges unless they say otherwise. *answer becomes 0 or 1. */

/* Whether the graph makes x independent of y given `given` (NULL: nothing): d-separation; with hidden causes m-separation. An empty
 * set is separated from everything. */
causal_status causal_graph_is_separated(const causal_graph *graph, const uint8_t *x, const uint8_t *y, const uint8_t *given,
                                        size_t count, int *answer);
/* Whether `set` meets the back-door criterion: it has no descendant of a treatment and blocks all paths to the outcomes that begin with
 * an arrow into a treatment, together with the other treatments where there are several. Adjusting for it then gives the
 * (joint) effect. VALUE: no treatment or no outcome. */
causal_status causal_graph_is_back_door_set(const causal_graph *graph, const uint8_t *set, const uint8_t *treatments,
                                            const uint8_t *outcomes, size_t count, int *answer);
/* Back-door sets of which nothing can be left out, of `allowed` variables (NULL: all): at most `capacity` masks, capacity x count
 * bytes, and their number to `found`, 0 where there are none. The first is the one nearest to the outcomes. Each takes at most a time
 * that is the product of variables and edges. */
causal_status causal_graph_back_door_sets(const causal_graph *graph, const uint8_t *treatments, const uint8_t *outcomes,
                                          const uint8_t *allowed, size_t count, uint8_t *sets, size_t capacity, size_t *found);
/* Whether P(outcomes | do(treatments)) follows from the distribution of the variables for every model with this graph; without hidden
 * causes it always does. Takes polynomial time, and next to none where few causes are hidden. */
causal_status causal_graph_is_identified(const causal_graph *graph, const uint8_t *treatments, const uint8_t *outcomes, size_t count,
                                         int *answer);
/* What stands in the way of answering a question about the outcomes under do(intervened) one mechanism after the other, each learned
 * from its own parents. Of the descendants of what is set that are an outcome or still cause one: those that share a hidden cause with
 * an ancestor, and where draws_noise is not 0 (the noise is not that of a given row, as in a counterfactual) those that
 * share one with another variable that is an outcome or still causes one. Writes indices in ascending order to `indices`, which has
 * room for every variable, and their number to `found`. Where there are some, the query may still be identified in another way.
 * A variable may be in both sets. Takes at most a time that is the product of variables and edges. */
causal_status causal_graph_confounded_mechanisms(const causal_graph *graph, const uint8_t *intervened, const uint8_t *outcomes,
                                                 size_t count, int draws_noise, size_t *indices, size_t *found);

/* ---------------------------------------------------------------- intervention: do(X = v) */

/* What is set, where, for which rows, and to what. Sites are numbered: in an MLP site k is the input of layer k, and
 * the site after the last layer is the output. A unit and a rewiring layer have one site, 0. */
typedef struct causal_intervention causal_intervention;

causal_status causal_intervention_create(causal_intervention **intervention, causal_dtype dtype);
causal_status causal_intervention_free(causal_intervention *intervention);
/* do() at `site`: where the mask is set the value is `values`, whatever was there. mask_rows and value_rows are 1 (shared by
 * all rows) or the number of rows of the arrays that the intervention is used with. A second call for the same site
 * replaces the first. Both arrays are copied. Values under a mask of 0 are not looked at and may be NaN.
 * For a rewiring layer the values are not looked at: the set variables lose all their incoming weights. */
causal_status causal_intervention_set(causal_intervention *intervention, size_t site, const uint8_t *mask, size_t mask_rows,
                                      const void *values, causal_dtype dtype, size_t value_rows, size_t columns);

/* ---------------------------------------------------------------- model: a network and its parameters */

typedef struct causal_model causal_model;

typedef struct causal_mlp_options {
    size_t size;                /* sizeof(causal_mlp_options) */
    size_t inputs;
    const size_t *hidden;       /* widths of the hidden layers; NULL when there are none */
    size_t hidden_count;
    size_t outputs;
    const char *activation;     /* identity relu leaky_relu elu gelu tanh sigmoid softplus silu; after every layer but the last */
    causal_dtype dtype;
    uint64_t seed;              /* of the initial weights, which are distributed as torch.nn.Linear's */
    int borrows_parameters;     /* not 0: the model holds none; every call names a buffer */
} causal_mlp_options;
#define CAUSAL_MLP_OPTIONS_INIT { sizeof(causal_mlp_options), 0, NULL, 0, 0, "relu", CAUSAL_FLOAT32, 0, 0 }

/* hidden_count + 1 linear layers with `activation` between them; sites 0 .. hidden_count + 1.
 * VALUE: a width of 0, an unknown activation. MEMORY: too large to hold. */
causal_status causal_model_create_mlp(causal_model **model, const causal_mlp_options *options);

/* An MLP that obeys a graph: an output depends on its parents, and on nothing else; the weights that would let it read more are zero
 * and stay so. The columns of x are the variables `features` (options->inputs numbers; NULL for the first ones). Where these are all
 * variables the outputs are the same ones in the same order, and do() on an input (site 0) sets that output too, which cuts the edges into
 * it; for the rows concerned nothing is read through them, and no gradient goes back. Otherwise the outputs are the variables
 * that are left, in their order. Each of the g outputs with parents has hidden units of its own: of a layer of w units the k-th has
 * k * w / g up to, but not with, (k + 1) * w / g. An output without parents is its bias. Sites are those of causal_model_create_mlp.
 * CYCLE. SHAPE: inputs and outputs are neither all variables each nor all together. NAME: a feature that is no variable. VALUE: a feature that
 * is there twice, an output whose parent is no input, a hidden layer of fewer than g units. */
causal_status causal_model_create_graph_mlp(causal_model **model, const causal_mlp_options *options, const causal_graph *graph,
                                            const size_t *features);

/* One linear layer, or linear-activation-linear where hidden_count is 1; one site, the input. hidden_count above 1 is VALUE. */
causal_status causal_model_create_unit(causal_model **model, const causal_mlp_options *options);

/* A linear layer whose weight obeys a graph: output j depends on the parents of j only. inputs = outputs = variables; hidden
 * and activation are not used. With graph NULL every output depends on every input. Its site 0 cuts: where an
 * intervention sets variable j for a row, all weights into j are zero for that row, and output j is the bias. */
causal_status causal_model_create_rewiring(causal_model **model, const causal_mlp_options *options, const causal_graph *graph);

/* Any network, described as causal_model_network describes one. Of the options only dtype, seed and borrows_parameters are used.
 * FILE: the text does not describe a network, or one of more than 65536 nodes. */
causal_status causal_model_create_network(causal_model **model, const causal_mlp_options *options, const char *network);

causal_status causal_model_free(causal_model *model);

causal_status causal_model_dtype(const causal_model *model, causal_dtype *dtype);
/* The network as text (JSON): its nodes, sizes, activations and edges, as in a checkpoint. Written as causal_model_tensor_name
 * writes. */
causal_status causal_model_network(const causal_model *model, char *network, size_t capacity, size_t *length);
causal_status causal_model_input_width(const causal_model *model, size_t *width);
causal_status causal_model_output_width(const causal_model *model, size_t *width);
causal_status causal_model_site_count(const causal_model *model, size_t *count);
/* NAME: no such site. */
causal_status causal_model_site_width(const causal_model *model, size_t site, size_t *width);

/* Parameters: one flat buffer that holds tensors one after the other. */
causal_status causal_model_parameter_count(const causal_model *model, size_t *count);
causal_status causal_model_tensor_count(const causal_model *model, size_t *count);
/* Where tensor `index` starts in the buffer, its number of dimensions (1 or 2) and its shape. A weight is (outputs, inputs). */
causal_status causal_model_tensor_shape(const causal_model *model, size_t index, size_t *offset, size_t *dimensions,
                                        size_t shape[2]);
/* The tensor's name, such as "layers.0.layers.0.weight". Writes at most `capacity` bytes with the final zero (cut off if
 * need be) and the length of the whole name, without it, to `length`, which may be NULL. */
causal_status causal_model_tensor_name(const causal_model *model, size_t index, char *name, size_t capacity, size_t *length);
/* Draws initial parameters from `seed` into `parameters`. */
causal_status causal_model_initialize(causal_model *model, void *parameters, size_t count, uint64_t seed);
/* Copies the model's own parameters out, or in. STATE: the model borrows its parameters. */
causal_status causal_model_get_parameters(const causal_model *model, void *parameters, causal_dtype dtype, size_t count);
causal_status causal_model_set_parameters(causal_model *model, const void *parameters, causal_dtype dtype, size_t count);

/* y = f(x) under an intervention (NULL for none), any number of rows, in memory that does not grow with them.
 * x: rows x input width. y: rows x output width. Zero rows are an empty result. */
causal_status causal_model_predict(const causal_model *model, const void *parameters,
                                   const void *x, causal_dtype x_dtype, size_t x_rows, size_t x_columns,
                                   const causal_intervention *intervention,
                                   void *y, causal_dtype y_dtype, size_t y_rows, size_t y_columns);

/* ---------------------------------------------------------------- trace: forward, and back again */

/* What one forward pass leaves for its backward pass. Several traces of a model may be alive at once, and one may be
 * used again for another forward pass. */
typedef struct causal_trace causal_trace;

causal_status causal_trace_create(causal_trace **trace, const causal_model *model);
causal_status causal_trace_free(causal_trace *trace);

/* causal_model_predict that also fills the trace. The trace copies what it needs of x and the intervention; parameters
 * must stay where they are and as they are until the backward pass. */
causal_status causal_model_forward(const causal_model *model, const void *parameters,
                                   const void *x, causal_dtype x_dtype, size_t x_rows, size_t x_columns,
                                   const causal_intervention *intervention, causal_trace *trace,
                                   void *y, causal_dtype y_dtype, size_t y_rows, size_t y_columns);

/* Which gradients a backward pass writes, all of the model's dtype; NULL where one is not wanted. */
typedef struct causal_gradients {
    size_t size;                /* sizeof(causal_gradients) */
    int accumulate;             /* not 0: `parameters` or `tensors` are added to instead of overwritten */
    void *parameters;           /* parameter_count elements */
    size_t parameter_count;
    void *const *tensors;       /* instead of `parameters`, for each tensor NULL or a buffer of its shape: what is not wanted is not
                                   computed */
    size_t tensor_count;        /* entries of `tensors`, the model's tensors or 0 */
    void *inputs;               /* the shape of x; exactly 0 where an input was set */
    size_t input_rows;
    size_t input_columns;
    void *const *values;        /* for each site NULL or a buffer of the shape of the values given there (summed over rows
                                   where they were shared); sites without an intervention must be NULL */
    size_t site_count;          /* entries of `values`, the model's sites or 0 */
} causal_gradients;
#define CAUSAL_GRADIENTS_INIT { sizeof(causal_gradients), 0, NULL, 0, NULL, 0, NULL, 0, 0, NULL, 0 }

/* The chain rule through the pass that the trace holds; dy is the gradient with respect to y, of y's shape. May be called again
 * with another dy. STATE: the trace is empty, belongs to another model, or the model's own parameters changed since.
 * Changes to a buffer of the caller's cannot be seen: keeping it as it was is the caller's part. */
causal_status causal_model_backward(const causal_model *model, const void *parameters, causal_trace *trace,
                                    const void *dy, causal_dtype dy_dtype, size_t dy_rows, size_t dy_columns,
                                    const causal_gradients *gradients);

/* ---------------------------------------------------------------- loss: a value and its gradient */

typedef struct causal_loss causal_loss;

/* The mean over all entries. type: "mse" "mae" "cross_entropy" (logits, rows x classes, against class indices, rows x 1, in
 * the model's dtype; one loss a row). */
causal_status causal_loss_create_standard(causal_loss **loss, const char *type);
/* The mean over the entries that the mask leaves alone: sum(loss * m) / max(sum(m), 1) with m = (mask == 0), broadcast as
 * numpy does. Without a mask, or with ignore_intervened = 0, the standard loss. */
causal_status causal_loss_create_intervention(causal_loss **loss, const char *type, int ignore_intervened);
/* Mean squared error of the factual pair (prediction, target) plus that of the counterfactual pair. */
causal_status causal_loss_create_counterfactual(causal_loss **loss);
/* Mean squared error between the prediction and the values set by do(), over the set entries; 0 where there are none. */
causal_status causal_loss_create_consistency(causal_loss **loss);
/* lambda times the sum of the absolute values of the model's weights, not its biases. */
causal_status causal_loss_create_regularization(causal_loss **loss, double lambda);
/* How far prediction (rows x p) and target (rows x q) are from independent, as residuals and causes should be: tr(K H L H) / (rows - 1)^2, the
 * Hilbert-Schmidt criterion of Gretton et al. (2005), with Gaussian kernels of standardised columns; of more than 512 rows the mean over blocks. The
 * gradient is that of the prediction. SHAPE: fewer than two rows. */
causal_status causal_loss_create_independence(causal_loss **loss);
/* The weighted sum of other losses, which may be sums themselves and may be freed afterwards: weights are multiplied out, and
 * those of terms of one kind added up. A counterfactual term counts only where both counterfactual arguments are given.
 * VALUE: a weight, or what weights come to, is not finite. */
causal_status causal_loss_create_sum(causal_loss **loss, const causal_loss *const *terms, const double *weights, size_t count);
causal_status causal_loss_free(causal_loss *loss);

/* What a loss may look at, all of one dtype. Set what it needs; the rest stays NULL. */
typedef struct causal_loss_arguments {
    size_t size;                        /* sizeof(causal_loss_arguments) */
    causal_dtype dtype;
    const void *prediction;             /* rows x columns */
    size_t rows;
    size_t columns;
    const void *target;                 /* target_rows x target_columns: the prediction's shape, or rows x 1 for cross_entropy */
    size_t target_rows;
    size_t target_columns;
    const uint8_t *mask;
    size_t mask_rows;
    size_t mask_columns;
    const void *values;                 /* consistency: broadcast against prediction and mask */
    size_t value_rows;
    size_t value_columns;
    const void *counterfactual_prediction;  /* counterfactual_rows x counterfactual_columns, both */
    const void *counterfactual_target;
    size_t counterfactual_rows;
    size_t counterfactual_columns;
    const causal_model *model;          /* regularization: whose weights, */
    const void *parameters;             /* and in which buffer */
} causal_loss_arguments;
#define CAUSAL_LOSS_ARGUMENTS_INIT \
    { sizeof(causal_loss_arguments), CAUSAL_FLOAT32, NULL, 0, 0, NULL, 0, 0, NULL, 0, 0, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL }

/* Where the gradients go, overwritten; each NULL (not wanted) or of the shape of what it is the gradient of. */
typedef struct causal_loss_gradients {
    size_t size;                        /* sizeof(causal_loss_gradients) */
    void *prediction;
    void *counterfactual_prediction;
    void *parameters;                   /* the model's parameter_count elements */
} causal_loss_gradients;
#define CAUSAL_LOSS_GRADIENTS_INIT { sizeof(causal_loss_gradients), NULL, NULL, NULL }

/* Writes the loss to `value` and the gradients that are wanted (`gradients` may be NULL). SHAPE: shapes that do not fit, both
 * named; zero rows. VALUE: a class index that is no whole number below the number of classes. NULL: an argument that this loss needs. */
causal_status causal_loss_evaluate(const causal_loss *loss, const causal_loss_arguments *arguments, double *value,
                                   const causal_loss_gradients *gradients);

/* ---------------------------------------------------------------- optimizer: one step downhill */

typedef struct causal_optimizer causal_optimizer;

typedef struct causal_optimizer_options {
    size_t size;                /* sizeof(causal_optimizer_options) */
    const char *method;         /* "sgd" "adam" "adamw" */
    double learning_rate;
    double momentum;            /* sgd */
    double beta1;               /* adam, adamw */
    double beta2;
    double epsilon;
    double weight_decay;        /* an L2 term for sgd and adam, decoupled for adamw */
    double clip_norm;           /* largest norm of the whole gradient; 0: not clipped */
} causal_optimizer_options;
#define CAUSAL_OPTIMIZER_OPTIONS_INIT \
    { sizeof(causal_optimizer_options), "adam", 0.01, 0.0, 0.9, 0.999, 1e-8, 0.0, 0.0 }

/* For `count` parameters; formulas as in torch.optim. */
causal_status causal_optimizer_create(causal_optimizer **optimizer, const causal_optimizer_options *options,
                                      causal_dtype dtype, size_t count);
causal_status causal_optimizer_free(causal_optimizer *optimizer);
causal_status causal_optimizer_set_learning_rate(causal_optimizer *optimizer, double learning_rate);
/* Updates `parameters` (NULL: the model's own) along `gradients`, which are used up: afterwards the numbers there are what the parameters were
 * before the step. model may be NULL where `parameters` is given.
 * DIVERGED: a parameter would not be finite; all are as they were before the step, but what the optimizer keeps of former gradients is of no use any more. */
causal_status causal_optimizer_step(causal_optimizer *optimizer, causal_model *model, void *parameters, void *gradients,
                                    causal_dtype dtype, size_t count);

/* ---------------------------------------------------------------- trainer: the whole loop */

typedef struct causal_trainer causal_trainer;

/* Rows to learn from: row i of y is what was seen where row i of x was, under row i of the intervention. x and y are not
 * copied: they must stay as they are until the trainer is freed. (Rows that are selected to validate are copied.) */
typedef struct causal_dataset {
    size_t size;                /* sizeof(causal_dataset) */
    causal_dtype dtype;
    const void *x;              /* rows x x_columns */
    const void *y;              /* rows x y_columns */
    size_t rows;
    size_t x_columns;
    size_t y_columns;
    const causal_intervention *intervention;    /* or NULL; a mask or value of `rows` rows follows its rows into the batches */
    const size_t *selection;    /* the numbers of the rows to take, in this order, also one more than once: they are copied, and no row is, so
                                   that many models may each learn from rows of its own. NULL: all rows */
    size_t selected;            /* how many numbers there are */
} causal_dataset;
#define CAUSAL_DATASET_INIT { sizeof(causal_dataset), CAUSAL_FLOAT32, NULL, NULL, 0, 0, 0, NULL, NULL, 0 }

/* What happened in one epoch. */
typedef struct causal_epoch {
    double loss;                /* mean over the training batches, weighted by their rows, each before its step */
    double validation_loss;     /* at the end of the epoch, of the validation data; where there are none, but patience, of the
                                   training data; otherwise NaN */
    double learning_rate;
    double seconds;
} causal_epoch;

typedef enum causal_trainer_state {
    CAUSAL_TRAINER_RUNNING = 0,
    CAUSAL_TRAINER_FINISHED = 1,        /* all epochs done */
    CAUSAL_TRAINER_STOPPED_EARLY = 2,   /* patience ran out; the best weights are back */
    CAUSAL_TRAINER_CANCELLED = 3,       /* by causal_trainer_cancel, the callback, or an error in the middle of a run */
    CAUSAL_TRAINER_DIVERGED = 4
} causal_trainer_state;

/* Called after each epoch, on the thread of causal_trainer_run; not 0 cancels. See causal_trainer_run_all for many. */
typedef int (*causal_epoch_callback)(void *context, size_t epoch, const causal_epoch *result);

typedef struct causal_trainer_options {
    size_t size;                        /* sizeof(causal_trainer_options) */
    const causal_loss *loss;            /* NULL: mse. The trainer keeps it alive */
    causal_optimizer_options optimizer;
    size_t epochs;
    size_t batch_size;                  /* 0: all rows in one batch */
    size_t patience;                    /* stop when this many epochs brought no better validation_loss, which without
                                           validation data is that of the training data; 0: never. Where it is given, the
                                           model ends with the weights of the end of the best epoch, whether training
                                           stops early, finishes or diverges */
    const char *schedule;               /* of the learning rate: "constant"; "cosine" to 0 over the epochs; "step" times
                                           step_factor every step_epochs */
    size_t step_epochs;
    double step_factor;
    uint64_t seed;                      /* of the order of the rows */
    causal_epoch_callback callback;     /* or NULL */
    void *context;
    int keeps_order;                    /* not 0: the rows keep their order in every epoch */
} causal_trainer_options;
#define CAUSAL_TRAINER_OPTIONS_INIT \
    { sizeof(causal_trainer_options), NULL, CAUSAL_OPTIMIZER_OPTIONS_INIT, 100, 32, 0, "constant", 30, 0.1, 0, NULL, NULL, 0 }

/* Prepares to train `model` (its own parameters, or the buffer `parameters`, which must then stay alive) on `training`, with
 * `validation` or NULL. Nothing is learned yet. A mask given for the output reaches the loss. With training NULL the rows come batch
 * by batch: causal_trainer_learn, causal_trainer_end_epoch; patience then needs validation data.
 * VALUE: a number in x or y that is not finite and that no intervention covers; the message names row and column, a row that is selected by its
 * own number. A row that is selected and is not there. A schedule whose learning rate does not stay finite. */
causal_status causal_trainer_create(causal_trainer **trainer, causal_model *model, void *parameters,
                                    const causal_dataset *training, const causal_dataset *validation,
                                    const causal_trainer_options *options);
causal_status causal_trainer_free(causal_trainer *trainer);
/* Trains for about `seconds` (INFINITY: until it is over), at least one step, and writes how it stands to `state` (or NULL).
 * Call it again to go on. The model is busy meanwhile.
 * DIVERGED: a loss that is not finite, or a step after which a weight would not be. The model has the weights from before the step that led there,
 * with patience those of the end of the best epoch, or its first ones, all finite. Any other error in the middle of a run ends it too: the
 * weights are the same, the state is CAUSAL_TRAINER_CANCELLED. */
causal_status causal_trainer_run(causal_trainer *trainer, double seconds, causal_trainer_state *state);
/* Many trainers as one call, on as many threads as are in use: each does what causal_trainer_run would do with it, to the bit, whatever their
 * number. It takes about `seconds`, in which at least one step is made, and writes how each of the `count` stands to `states` (or NULL). Call it
 * again to go on; those that are over are passed over. Each has parameters of its own, which may be buffers for one model. A callback is called on
 * any thread, those of several trainers at once.
 * A trainer that fails, as with DIVERGED, is what the call returns, with its number in the message, the lowest where several failed; the others
 * have done their part and go on in the next call. Before anything has happened: VALUE, a trainer that is there twice, or two that change the same
 * parameters; STATE, one whose rows come batch by batch; BUSY, one, or its model, that another call is using. */
causal_status causal_trainer_run_all(causal_trainer *const *trainers, size_t count, double seconds, causal_trainer_state *states);
/* For rows that do not fit into memory at once: a step on a batch, which is only looked at during the call; and the end of an epoch,
 * with validation, history and patience. The same batches in the same order give the same bits as one array with that batch
 * size and keeps_order. Rows that do not fit are refused as by causal_trainer_create, and nothing has happened.
 * STATE: the trainer has its training data, or training is over; at the end of an epoch, there was no batch in it. */
causal_status causal_trainer_learn(causal_trainer *trainer, const causal_dataset *batch, causal_trainer_state *state);
causal_status causal_trainer_end_epoch(causal_trainer *trainer, causal_trainer_state *state);
/* Ends a run from another thread, after the step under way; this may be called while the trainer is busy. The model keeps
 * the weights it has. */
causal_status causal_trainer_cancel(const causal_trainer *trainer);
/* Epochs completed so far, and their results: writes at most `capacity` of them from epoch `first` on. epochs may be NULL
 * with capacity 0. */
causal_status causal_trainer_history(const causal_trainer *trainer, size_t first, causal_epoch *epochs, size_t capacity,
                                     size_t *count);
/* Rows done in the epoch under way, for a progress bar; rows is 0 where they come batch by batch. */
causal_status causal_trainer_progress(const causal_trainer *trainer, size_t *epoch, size_t *rows_done, size_t *rows);

/* ---------------------------------------------------------------- scenario: interventions on named variables */

/* What is done to the variables of a structural model. At a variable its mechanism speaks first, then its edits in the order in which they
 * were added. A row that is set, or computed from other variables, takes no other edit of that variable: VALUE, when it is used. */
typedef struct causal_scenario causal_scenario;

/* Fills result (rows) from arguments (rows x columns, row-major). Not 0: it failed, and so does the call that it was called from, with STATE.
 * It is called on any thread, and on several at once. */
typedef int (*causal_function)(void *context, const double *arguments, size_t rows, size_t columns, double *result);

typedef enum causal_edit_kind {
    CAUSAL_EDIT_SET = 0,        /* do(variable = values) */
    CAUSAL_EDIT_SHIFT = 1,      /* what the mechanism says, plus values */
    CAUSAL_EDIT_SCALE = 2,      /* what the mechanism says, times values */
    CAUSAL_EDIT_CLAMP = 3,      /* what the mechanism says, kept within lower and upper */
    CAUSAL_EDIT_COMPUTE = 4,    /* a function of the variables in `reads`: a policy, which replaces the mechanism; or, where the variable
                                   itself is among them, a change of what the mechanism says */
    CAUSAL_EDIT_MECHANISM = 5,  /* another mechanism with noise: that of the variable of this name in `model`, whose parents there, by name, become
                                   its causes. Noise of a flow or of a categorical variable stays what it is; noise that was learned is taken over
                                   by its rank among the residuals of either, so that a counterfactual keeps what was abducted. VALUE, when it is
                                   used: other kinds of variables, another dtype, noise of another kind. Or, where model is NULL, function(reads) +
                                   noise, for a real variable: values are the noise, or, with value_count 0, the noise is the variable's own, which
                                   its mechanism must add (linear, additive) */
    CAUSAL_EDIT_LINEAR = 6,     /* a policy, values[0] + the sum of values[1 + k] reads[k], kept within lower and upper; one such group of values, or
                                   one a row. causal_structural_model_gradient reaches them */
    CAUSAL_EDIT_UNIT = 7,       /* do(unit = values): a unit of a hidden layer of the mechanism's network, after the activation; it concerns what the
                                   mechanism says, so that other edits may follow. NAME, when it is used: no such layer or unit */
    CAUSAL_EDIT_INTERCHANGE = 8,        /* the variable takes the value that it has under `source`, with the same rows and noise. Gradients take
                                           it for given */
    CAUSAL_EDIT_INTERCHANGE_UNIT = 9,   /* a hidden unit does. VALUE, when it is used: the source replaces the mechanism */
    CAUSAL_EDIT_NETWORK = 10    /* a policy, lower + (upper - lower) / (1 + exp(-network(reads))), between two finite bounds. values: of each layer the
                                   weight (outputs x inputs, row-major) and the bias, one after the other. Of a categorical variable with more than two
                                   levels the network is given an indicator for each. causal_structural_model_gradient reaches the values. SHAPE, when
                                   it is used: another number of values */
} causal_edit_kind;

typedef struct causal_edit {
    size_t size;                /* sizeof(causal_edit) */
    const char *variable;
    causal_edit_kind kind;
    const double *values;       /* set, shift, scale, noise: 1 for all rows, or one a row; linear, network: as said there */
    size_t value_count;
    double lower;               /* clamp, linear, network; no bounds where they are what INIT says */
    double upper;
    const char *const *reads;   /* compute, mechanism, linear, network: variables that are no effects of this one; they become its causes */
    size_t read_count;
    causal_function function;
    void *context;
    const uint8_t *rows;        /* NULL: all rows are concerned; or a byte a row, 0 where it is not */
    size_t row_count;
    const char *const *condition_reads; /* with `condition`: concerned are the rows where it gives not 0, told from these variables */
    size_t condition_read_count;
    causal_function condition;
    void *condition_context;
    const struct causal_structural_model *model;    /* mechanism; the scenario keeps it alive */
    size_t layer;               /* unit: of the hidden layers, from 0, and of its units, from 0 */
    size_t unit;
    const causal_scenario *source;      /* interchange: as it is now; its rows are those of this scenario */
    const size_t *hidden;       /* network: widths of its hidden layers, and their activation */
    size_t hidden_count;
    const char *activation;
    const double *scales;       /* network: for each of `reads` a mean, which is taken off, and a scale, which it is divided by; or NULL: values as they
                                   are. A network learns best where means and scales are those of the values that it meets */
} causal_edit;
#define CAUSAL_EDIT_INIT \
    { sizeof(causal_edit), NULL, CAUSAL_EDIT_SET, NULL, 0, -1.7976931348623157e308, 1.7976931348623157e308, NULL, 0, NULL, NULL, NULL, 0, NULL, \
      0, NULL, NULL, NULL, 0, 0, NULL, NULL, 0, "gelu", NULL }

causal_status causal_scenario_create(causal_scenario **scenario);
causal_status causal_scenario_free(causal_scenario *scenario);
/* Adds an edit. Arrays and names are copied; functions and their contexts must live as long as the scenario. Whether names and numbers fit is
 * found out where the scenario is used. VALUE: an unknown kind; interchanges within interchanges more than 16 deep. */
causal_status causal_scenario_add(causal_scenario *scenario, const causal_edit *edit);

/* ---------------------------------------------------------------- structural model: each variable from its causes and noise */

/* A mechanism for each variable of an acyclic graph, learned from rows. Values are doubles in the units of the data, NaN where missing; a
 * categorical variable has whole numbers from 0. It is immutable once trained: many threads may ask it. */
typedef struct causal_structural_model causal_structural_model;
typedef struct causal_structural_trainer causal_structural_trainer;

typedef struct causal_mechanism {
    size_t size;                /* sizeof(causal_mechanism) */
    size_t levels;              /* of a categorical variable, 2 or more; 0 for a real one */
    const char *kind;           /* "auto": chosen by the likelihood of rows held out; "linear"; "additive", f(parents) + noise; "smooth", the same
                                   with a small network whose weight decays the evidence of all rows decides, without epochs and held-out
                                   rows; "location_scale", f(parents) + s(parents) noise; "flow", a rational-quadratic spline of Gaussian
                                   noise; all with noise of any shape; for categorical variables "auto", "linear" or "softmax"; "given":
                                   formula(parents) + noise, not learned */
    const size_t *hidden;       /* widths of the hidden layers of its network; NULL: 64, 64; of a smooth one 12 */
    size_t hidden_count;
    const char *activation;
    size_t pieces;              /* of a flow's spline, 2 to 64 */
    causal_function formula;    /* given: of the parents, in the order of the graph; it must live as long as the model */
    void *context;
} causal_mechanism;
#define CAUSAL_MECHANISM_INIT { sizeof(causal_mechanism), 0, "auto", NULL, 0, "gelu", 8, NULL, NULL }

typedef struct causal_structural_options {
    size_t size;                /* sizeof(causal_structural_options) */
    causal_dtype dtype;         /* of the mechanisms' networks */
    size_t members;             /* networks for each mechanism, which answer separately; 1 to 1000 */
    int resamples;              /* not 0: each member learns from rows drawn with replacement (bootstrap) */
    size_t epochs;              /* 0: as many as make about 3000 steps, 20 to 1000 */
    size_t batch_size;          /* 0: a sixteenth of the rows, 32 to 1024 */
    double learning_rate;
    double weight_decay;        /* as in AdamW */
    double held_out;            /* the share of rows, 0 to 0.5, that decides which epoch's weights are kept; below 0: a tenth of fewer than
                                   5000 rows, none of more. Where "auto" chooses, a tenth at least decides that */
    double patience;            /* epochs without a better likelihood of these after which a mechanism stops, as a share of all epochs */
    uint64_t seed;
    const causal_structural_model *former;  /* whose mechanisms are kept where `frozen`, a byte a variable, is not 0; or NULL, both. The graph and
                                               the dtype are the same */
    const uint8_t *frozen;
    double sparsity;            /* what the length of the weights that leave each parent costs (group lasso), beside the likelihood, or squared error, of
                                   standardised values */
    double independence;        /* what it costs that the noise of a real variable depends on its parents: causal_loss_create_independence */
    const size_t *twins;        /* a number a row: the row of which it is the counterfactual, of the same unit, with the same noise, under other
                                   interventions; SIZE_MAX: of none. Rows of one unit are held out, and drawn, together. Or NULL. VALUE, when a trainer is
                                   created: the row itself, or no row; no pair that a real variable's mechanism can learn from, being known in both, and its
                                   parents, and set in neither */
    double counterfactual;      /* beside the likelihood, or squared error, of standardised values: what the squared error costs with which the value in
                                   such a row is predicted with the noise of the other */
} causal_structural_options;
#define CAUSAL_STRUCTURAL_OPTIONS_INIT \
    { sizeof(causal_structural_options), CAUSAL_FLOAT32, 1, 0, 0, 0, 0.01, 0.0, -1.0, 1.0, 0, NULL, NULL, 0.0, 0.0, NULL, 1.0 }

/* Prepares to learn. mechanisms: one a variable in the order of the graph, or NULL for real variables and "auto". values: rows x variables,
 * copied; is_set: bytes of the same shape, not 0 where do() set the variable (its mechanism learns nothing from that row), or NULL.
 * CYCLE. SHAPE. VALUE: a number that a variable cannot be, named with row and variable; a mechanism that does not fit its variable; a variable
 * with no row to learn from. */
causal_status causal_structural_trainer_create(causal_structural_trainer **trainer, const causal_graph *graph,
                                               const causal_mechanism *mechanisms, const double *values, const uint8_t *is_set,
                                               size_t rows, size_t columns, const causal_structural_options *options);
causal_status causal_structural_trainer_free(causal_structural_trainer *trainer);
/* Learns for about `seconds` (INFINITY: until it is over) and writes to `finished` (or NULL) whether it is. Call it again to go on.
 * DIVERGED: the message names the variable. */
causal_status causal_structural_trainer_run(causal_structural_trainer *trainer, double seconds, int *finished);
/* The share that is done, 0 to 1. */
causal_status causal_structural_trainer_progress(const causal_structural_trainer *trainer, double *progress);
/* What was learned. STATE: it is not finished. */
causal_status causal_structural_trainer_model(const causal_structural_trainer *trainer, causal_structural_model **model);

causal_status causal_structural_model_free(causal_structural_model *model);
causal_status causal_structural_model_member_count(const causal_structural_model *model, size_t *count);
/* Numbers in a row of noise: one for a real variable or one without parents, one a level for a categorical one with parents. */
causal_status causal_structural_model_noise_width(const causal_structural_model *model, size_t *width);
/* The kind of a variable's mechanism, as chosen; written as causal_model_tensor_name writes. NAME: no such variable. */
causal_status causal_structural_model_mechanism(const causal_structural_model *model, size_t variable, char *kind, size_t capacity,
                                                size_t *length);
/* Of the mechanisms' networks. */
causal_status causal_structural_model_dtype(const causal_structural_model *model, causal_dtype *dtype);
/* A new graph, which the caller frees. */
causal_status causal_structural_model_graph(const causal_structural_model *model, causal_graph **graph);
/* The levels of a categorical variable; 0 for a real one. NAME: no such variable. */
causal_status causal_structural_model_levels(const causal_structural_model *model, size_t variable, size_t *levels);
/* New rows under a scenario (NULL for none). member: who answers; SIZE_MAX for all in turn, each for an equal share of the rows. The same
 * seed gives the same noise under every scenario. draws: row i has the noise of row i % draws, so that many scenarios, each of so many rows,
 * meet the same chances in one call; 0: each row has its own. wanted: a byte a variable, not 0 where it is asked for, or NULL for all; the
 * others are NaN. VALUE: a hidden common cause that the graph declares leaves what is wanted unidentified. */
causal_status causal_structural_model_sample(const causal_structural_model *model, const causal_scenario *scenario, size_t member,
                                             uint64_t seed, size_t draws, const uint8_t *wanted, double *values, size_t rows,
                                             size_t columns);
/* The chain rule through causal_structural_model_sample with the same arguments: from `gradient`, with respect to each number of the sample, to
 * the gradients of the values, amounts and factors of the scenario's edits, one after the other in the order in which they were added: as many as
 * their value_count, in all `count` (the noise of a new mechanism and an interchange have none). A variable that was set passes nothing to its causes, and a category
 * passes nothing.
 * SHAPE: another count. VALUE: an edit or a mechanism is a function, whose derivative is not known. */
causal_status causal_structural_model_gradient(const causal_structural_model *model, const causal_scenario *scenario, size_t member,
                                               uint64_t seed, size_t draws, const double *gradient, size_t rows, size_t columns,
                                               double *of_values, size_t count);
/* What would have been had the scenario held: abduction, action, prediction, with the noise of each factual row. What is not affected keeps
 * its bits. is_set: bytes, not 0 where do() had set a variable, which then stays set; or NULL. For continuous variables the answer rests on
 * noise entering monotonically, for a category that was seen on Gumbel noise, of which `seed` draws one possibility.
 * wanted: as for causal_structural_model_sample. VALUE: a number that the answer rests on is missing, or it is not identified. */
causal_status causal_structural_model_counterfactual(const causal_structural_model *model, const double *factual, const uint8_t *is_set,
                                                     const causal_scenario *scenario, size_t member, uint64_t seed, const uint8_t *wanted,
                                                     double *values, size_t rows, size_t columns);
/* The noise of rows that were seen, rows x noise width; NaN where a variable was set, or is missing, or a parent of it is. */
causal_status causal_structural_model_abduct(const causal_structural_model *model, const double *factual, const uint8_t *is_set,
                                             size_t member, uint64_t seed, size_t rows, size_t columns, double *noise, size_t noise_width);
/* P(variable = level | its parents) for rows x columns values of all variables, rows x levels; NaN where a parent is missing. Of a variable without
 * parents the shares that were seen. NAME: no such variable, or member. VALUE: a real variable. SHAPE: another number of levels. */
causal_status causal_structural_model_probabilities(const causal_structural_model *model, size_t variable, const double *values, size_t rows,
                                                    size_t columns, size_t member, double *probabilities, size_t levels);

/* ---------------------------------------------------------------- discovery: the graph from data */

/* A search for the graph that rows come from. It has the best graph so far whenever it stops. */
typedef struct causal_discovery causal_discovery;

typedef struct causal_discovery_options {
    size_t size;                /* sizeof(causal_discovery_options) */
    const char *score;          /* "bic": of linear Gaussian mechanisms for real variables, tables for categorical ones, regressions where kinds are
                                   mixed; "bdeu": of tables with a Dirichlet prior; "nonlinear": of smooth mechanisms with additive noise;
                                   "network": a graph learned with gates in one network for all variables, and scored as by "nonlinear" */
    double penalty;             /* of a parameter, times log(rows) / 2; above 0 */
    double prior_rows;          /* bdeu: what the prior is worth */
    size_t restarts;            /* near the best graph so far, in vain, before the search ends; SIZE_MAX: 1,000. "network": how many are learned
                                   beside the first; SIZE_MAX: 5 of up to 20 variables, fewer of more */
    size_t bootstrap;           /* samples of the rows in which a graph is looked for too */
    uint64_t seed;
    const size_t *levels;       /* a number a variable: of a categorical one its levels, 2 or more; 0 for a real one. NULL: all are real */
    const uint8_t *required;    /* columns x columns bytes: edges i -> j that are there; or NULL */
    const uint8_t *forbidden;   /* the same: edges that are not */
    const size_t *tiers;        /* a number a variable, SIZE_MAX for unknown: none is caused by one of a later tier; or NULL */
    const size_t *order;        /* all variables, causes before effects; or NULL */
    size_t most_parents;        /* of one variable; SIZE_MAX: any number */
    const size_t *regimes;      /* a number a row, 0 to rows - 1: rows of one number came about under the same conditions, and which mechanisms these
                                   changed is to be found ("nonlinear" and "network"); or NULL */
} causal_discovery_options;
#define CAUSAL_DISCOVERY_OPTIONS_INIT \
    { sizeof(causal_discovery_options), "bic", 2.0, 1.0, SIZE_MAX, 0, 0, NULL, NULL, NULL, NULL, NULL, SIZE_MAX, NULL }

/* Prepares a search. names: one a column, or NULL for x0, x1, ... values: rows x columns, copied, none missing; is_set: bytes of the same shape, not 0
 * where do() set the variable, so that the row tells nothing of its mechanism; or NULL. Units do not matter, and neither does the order of
 * columns. VALUE: a number that is missing, a column that is constant or a linear function of others, named; knowledge that contradicts
 * itself, shown. CYCLE: required edges that are one. */
causal_status causal_discovery_create(causal_discovery **discovery, const char *const *names, const double *values, const uint8_t *is_set,
                                      size_t rows, size_t columns, const causal_discovery_options *options);
causal_status causal_discovery_free(causal_discovery *discovery);
/* Searches for about `seconds` (INFINITY: until it is over) and writes to `finished` (or NULL) whether it is. Call it again to go on. */
causal_status causal_discovery_run(causal_discovery *discovery, double seconds, int *finished);
/* Ends a run from another thread; this may be called while the search is busy. */
causal_status causal_discovery_cancel(const causal_discovery *discovery);
/* The share that is done, 0 to 1. */
causal_status causal_discovery_progress(const causal_discovery *discovery, double *progress);
/* A new graph: what the best so far says. Edges whose direction neither data nor knowledge tell have none. */
causal_status causal_discovery_graph(const causal_discovery *discovery, causal_graph **graph);
/* A new graph: the best directed one so far, of all that are equally good. */
causal_status causal_discovery_directed_graph(const causal_discovery *discovery, causal_graph **graph);
/* The score of `graph` (NULL: of the best so far), more is better: half of a Bayesian information criterion, or the logarithm of a marginal
 * likelihood, less that of the graph without edges. SHAPE: other variables. */
causal_status causal_discovery_score(const causal_discovery *discovery, const causal_graph *graph, double *score);
/* Of the bootstrap samples that are done, whose number goes to `samples`: the share in which there was an edge i -> j, at i * count + j of
 * `directed`, and one without a direction, at both places of `undirected`; count x count numbers each. */
causal_status causal_discovery_frequencies(const causal_discovery *discovery, double *directed, double *undirected, size_t count,
                                           size_t *samples);
/* Of the score "network": the probability that the gate of an edge i -> j is open, at i * count + j of `gates`, before edges are pruned, the mean
 * of all networks. STATE: another score. SHAPE: another count. */
causal_status causal_discovery_gates(const causal_discovery *discovery, double *gates, size_t count);
/* Where there are regimes: not 0 at k * count + j of `targets` where variable j comes about in another way in regime k than in that of the most
 * rows, as far as is known by now. regimes: the largest of their numbers, plus one. STATE: there are none. SHAPE: another number of regimes or of
 * variables. */
causal_status causal_discovery_targets(const causal_discovery *discovery, uint8_t *targets, size_t regimes, size_t count);

/* Pairs of variables of which the data say that a hidden common cause stands behind the edge between them: by how much the score would be better with
 * it, at both places of `evidence` (count x count numbers), and 0 elsewhere. A pair is told by what causes the two have of their own, and by rows in
 * which one was set, if it leaves a mark there: 0 does not mean that there is none. Two effects that cancel may look the same. STATE: a score
 * other than "bic", or categorical variables. SHAPE: another count. */
causal_status causal_discovery_hidden_causes(const causal_discovery *discovery, double *evidence, size_t count);

/* ---------------------------------------------------------------- checkpoint */

/* A checkpoint is a safetensors file: the parameters under their names, the network as metadata, and `note`, a text of the
 * caller's own (UTF-8; NULL: none). A crash while saving leaves the file that was there. */
causal_status causal_model_save(const causal_model *model, const void *parameters, const char *path, const char *note);
/* Safe on a file from anyone. The model owns its parameters. FILE: not there, not a checkpoint, altered, cut off. */
causal_status causal_model_load(causal_model **model, const char *path);
/* The same bytes in memory. Writes at most `capacity` bytes to `bytes`, and the number needed to `size`. */
causal_status causal_model_encode(const causal_model *model, const void *parameters, const char *note, void *bytes,
                                  size_t capacity, size_t *size);
/* causal_model_load from memory. `bytes` is read in place: first its header, and the rest only where the header accounts for it. */
causal_status causal_model_decode(causal_model **model, const void *bytes, size_t size);
/* The note that came with the checkpoint, "" if none; written as causal_model_tensor_name writes. */
causal_status causal_model_note(const causal_model *model, char *note, size_t capacity, size_t *length);

/* The same for structural models: the tensors of each member and variable (members.0.dose.layers.0.layers.0.weight) and the noise that was
 * kept (members.0.dose.noise), with graph, variables and mechanisms as metadata. What is loaded answers to the bit as what was saved. */
causal_status causal_structural_model_save(const causal_structural_model *model, const char *path, const char *note);
causal_status causal_structural_model_load(causal_structural_model **model, const char *path);
causal_status causal_structural_model_encode(const causal_structural_model *model, const char *note, void *bytes, size_t capacity,
                                             size_t *size);
causal_status causal_structural_model_decode(causal_structural_model **model, const void *bytes, size_t size);
causal_status causal_structural_model_note(const causal_structural_model *model, char *note, size_t capacity, size_t *length);

#ifdef __cplusplus
}
#endif

#endif

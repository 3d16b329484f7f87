/* test_conformance_cmsis.c - plain integer kernels against recorded cases with golden outputs, when
 * ../shared/conformance/cmsis-nn is there: every one must be equal bit for bit. Layer: tests. */
#include "tests/support/cmsis_case.h"

#include "engine/kernels/krn_move.h"
#include "engine/kernels/krn_quant_product.h"
#include "engine/kernels/krn_quant_rnn.h"

#include <dirent.h>

#define FOLDER  NF_SOURCE_DIR "/../shared/conformance/cmsis-nn"
#define MAX_OPS 24

typedef struct count {
    char op[32];
    int cases, equal;
} count;

/* Factors, biases and limits of a product with n outputs. */
typedef struct product {
    krn_factor factor[512];
    int64_t bias[512];
    krn_q_tail tail;
} product;

static void read_product(product *p, const case_run *r, krn_type to, size_t n)
{
    const size_t given = json_array_size(json_object_get(r->params, "multipliers"));
    const char *accumulator = json_string_value(json_object_get(r->params, "accumulator"));
    assert_true(n <= NF_COUNT(p->factor));
    for (size_t c = 0; c < n; c++) {
        const size_t i = given > 1 ? c : 0;
        p->factor[c] = (krn_factor){(int32_t)case_item(r, "multipliers", i),
                                    (int32_t)case_item(r, "shifts", i)};
    }
    case_bias(p->bias, n, r, "bias");
    const bool wide = accumulator && !strcmp(accumulator, "int64");
    p->tail = (krn_q_tail){.way = wide ? KRN_TAIL_LONG : KRN_TAIL_FIXED,
                           .to = to,
                           .factor = p->factor,
                           .bias = p->bias,
                           .zero = (int32_t)case_number(r, "output_offset"),
                           .low = (int32_t)case_number(r, "activation_min"),
                           .high = (int32_t)case_number(r, "activation_max")};
}

static case_tensor run_window(const case_run *r)
{
    const char *op = json_string_value(json_object_get(r->params, "op"));
    size_t in[CASE_DIMS], out[CASE_DIMS], f[CASE_DIMS], groups = 1;
    static product p;
    case_sizes(in, r, "input_shape");
    case_sizes(out, r, "output_shape");
    case_sizes(f, r, "filter_shape");
    if (case_number(r, "groups")) groups = (size_t)case_number(r, "groups");
    case_tensor x = case_input(r, "input"), weights = case_load(r, "weights");
    case_tensor y = case_new(x.type, out[0] * out[1] * out[2] * out[3]);
    const krn_window w = case_window(r, in, out, f + 1);
    int16_t *wide = case_wide(&x, -case_number(r, "input_offset"));
    int16_t *filter = case_wide(&weights, -case_number(r, "filter_offset"));
    int64_t sums[512];
    read_product(&p, r, x.type, out[3]);
    for (size_t b = 0; b < out[0]; b++) {
        char *to = (char *)y.data + b * y.bytes / out[0];
        const int16_t *from = wide + b * x.elems / out[0];
        if (!strcmp(op, "conv"))
            krn_q_conv_ref(to, from, filter, &w, groups, &p.tail);
        else if (!strcmp(op, "depthwise"))
            krn_q_depthwise_ref(to, from, filter, &w, &p.tail, sums);
        else
            krn_q_transpose_conv_ref(to, from, filter, &w, &p.tail);
    }
    case_free(&x);
    case_free(&weights);
    nf_free(wide);
    nf_free(filter);
    return y;
}

/* Rows are images of one pixel. */
static case_tensor run_dense(const case_run *r)
{
    size_t in[CASE_DIMS], f[CASE_DIMS];
    static product p;
    case_sizes(in, r, "input_shape");
    case_sizes(f, r, "filter_shape");
    case_tensor x = case_input(r, "input"), weights = case_load(r, "weights");
    const size_t rows = x.elems / f[1];
    const krn_window w = {.in_h = 1,
                          .in_w = 1,
                          .in_c = f[1],
                          .out_h = 1,
                          .out_w = 1,
                          .out_c = f[0],
                          .kernel_h = 1,
                          .kernel_w = 1,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1};
    case_tensor y = case_new(x.type, rows * f[0]);
    int16_t *wide = case_wide(&x, -case_number(r, "input_offset"));
    int16_t *filter = case_wide(&weights, -case_number(r, "filter_offset"));
    read_product(&p, r, x.type, f[0]);
    for (size_t row = 0; row < rows; row++)
        krn_q_conv_ref((char *)y.data + row * y.bytes / rows, wide + row * f[1], filter, &w, 1,
                       &p.tail);
    case_free(&x);
    case_free(&weights);
    nf_free(wide);
    nf_free(filter);
    return y;
}

static size_t stack_of(const size_t *shape, size_t i, const size_t *out)
{
    const size_t a = shape[0] == 1 ? 0 : i / out[1], b = shape[1] == 1 ? 0 : i % out[1];
    return (a * shape[1] + b) * shape[2] * shape[3];
}

static case_tensor run_matmul(const case_run *r)
{
    size_t a[CASE_DIMS], b[CASE_DIMS], out[CASE_DIMS];
    static product p;
    case_sizes(a, r, "lhs_shape");
    case_sizes(b, r, "rhs_shape");
    case_sizes(out, r, "output_shape");
    const bool adj_x = case_number(r, "adj_x") != 0, adj_y = case_number(r, "adj_y") != 0;
    case_tensor lhs = case_load(r, "lhs"), rhs = case_load(r, "rhs");
    case_tensor y = case_new(lhs.type, out[0] * out[1] * out[2] * out[3]);
    int16_t *wa = case_wide(&lhs, -case_number(r, "lhs_offset"));
    int16_t *wb = case_wide(&rhs, -case_number(r, "rhs_offset"));
    const krn_q_matmul s = {.m = out[2],
                            .n = out[3],
                            .k = adj_x ? a[2] : a[3],
                            .a_row = adj_x ? 1 : a[3],
                            .a_k = adj_x ? a[3] : 1,
                            .b_k = adj_y ? 1 : b[3],
                            .b_col = adj_y ? b[3] : 1};
    read_product(&p, r, lhs.type, 1);
    for (size_t i = 0; i < out[0] * out[1]; i++)
        krn_q_matmul_ref((char *)y.data + i * y.bytes / (out[0] * out[1]), wa + stack_of(a, i, out),
                         wb + stack_of(b, i, out), &s, &p.tail);
    case_free(&lhs);
    case_free(&rhs);
    nf_free(wa);
    nf_free(wb);
    return y;
}

static case_tensor run_pool(const case_run *r)
{
    const bool mean = !strcmp(json_string_value(json_object_get(r->params, "op")), "avg_pool");
    const int32_t limits[2] = {(int32_t)case_number(r, "activation_min"),
                               (int32_t)case_number(r, "activation_max")};
    size_t in[CASE_DIMS], out[CASE_DIMS], kernel[CASE_DIMS];
    case_sizes(in, r, "input_shape");
    case_sizes(out, r, "output_shape");
    case_sizes(kernel, r, "filter_shape");
    case_tensor x = case_input(r, "input");
    case_tensor y = case_new(x.type, out[0] * out[1] * out[2] * out[3]);
    const krn_window w = case_window(r, in, out, kernel);
    for (size_t b = 0; b < out[0]; b++)
        krn_q_pool_ref((char *)y.data + b * y.bytes / out[0],
                       (const char *)x.data + b * x.bytes / out[0], x.type, &w, mean, limits);
    case_free(&x);
    return y;
}

static case_tensor run_softmax(const case_run *r)
{
    const size_t rows = (size_t)case_number(r, "num_rows"), n = (size_t)case_number(r, "row_size");
    const case_tensor x = case_input(r, "input");
    const char *dtype = json_string_value(json_object_get(r->json, "dtype"));
    const bool to16 = dtype && !strcmp(dtype, "s8_s16");
    case_tensor y = case_new(to16 ? KRN_I16 : KRN_I8, rows * n), from = x;
    const krn_factor beta = case_factor(r, "input_multiplier", "input_shift");
    const int32_t diff_min = (int32_t)case_number(r, "diff_min");
    if (to16) {
        krn_q_softmax16 p = {.from = KRN_I8, .factor = beta, .diff_min = diff_min};
        krn_q_softmax16_ref(y.data, x.data, rows, n, &p);
    } else {
        krn_qs8_softmax p = {.round = KRN_ROUND_FIXED, .beta = beta, .diff_min = diff_min};
        krn_qs8_softmax_fixed(&p);
        krn_qs8_softmax_ref(y.data, x.data, rows, n, &p);
    }
    case_free(&from);
    return y;
}

static case_tensor run_add(const case_run *r)
{
    case_tensor a = case_load(r, "input1"), b = case_load(r, "input2");
    case_tensor y = case_new(a.type, a.elems);
    const krn_q_binary p = {.way = KRN_Q2_ADD,
                            .type = a.type,
                            .to = a.type,
                            .zero_a = (int32_t)-case_number(r, "input1_offset"),
                            .zero_b = (int32_t)-case_number(r, "input2_offset"),
                            .zero = (int32_t)case_number(r, "output_offset"),
                            .low = (int32_t)case_number(r, "activation_min"),
                            .high = (int32_t)case_number(r, "activation_max"),
                            .left = (int)case_number(r, "left_shift"),
                            .factor_a = case_factor(r, "input1_multiplier", "input1_shift"),
                            .factor_b = case_factor(r, "input2_multiplier", "input2_shift"),
                            .factor = case_factor(r, "output_multiplier", "output_shift")};
    krn_q_binary_ref(y.data, a.data, 1, b.data, 1, y.elems, &p);
    case_free(&a);
    case_free(&b);
    return y;
}

/* Element i of the result's shape in a shape that is repeated along its dimensions of 1. */
static size_t repeated(const size_t *shape, const size_t *out, size_t rank, size_t i)
{
    size_t at = 0, step = 1;
    for (size_t k = rank; k-- > 0; i /= out[k]) {
        at += shape[k] == 1 ? 0 : i % out[k] * step;
        step *= shape[k];
    }
    return at;
}

static case_tensor run_choice(const case_run *r)
{
    const bool most = !strcmp(json_string_value(json_object_get(r->params, "op")), "maximum");
    size_t a[CASE_DIMS], b[CASE_DIMS], out[CASE_DIMS], all = 1;
    case_sizes(a, r, "input1_shape");
    case_sizes(b, r, "input2_shape");
    const size_t rank = case_sizes(out, r, "output_shape");
    for (size_t i = 0; i < rank; i++)
        all *= out[i];
    case_tensor x = case_load(r, "input1"), w = case_load(r, "input2"), y = case_new(x.type, all);
    const krn_q_binary p = {.way = most ? KRN_Q2_MAXIMUM : KRN_Q2_MINIMUM,
                            .type = x.type,
                            .to = x.type,
                            .low = INT8_MIN,
                            .high = INT8_MAX};
    for (size_t i = 0; i < all; i++)
        krn_q_binary_ref((char *)y.data + i, (const char *)x.data + repeated(a, out, rank, i), 0,
                         (const char *)w.data + repeated(b, out, rank, i), 0, 1, &p);
    case_free(&x);
    case_free(&w);
    return y;
}

static case_tensor run_transpose(const case_run *r)
{
    size_t in[CASE_DIMS], out[CASE_DIMS], perm[CASE_DIMS];
    ptrdiff_t step[CASE_DIMS];
    const size_t rank = case_sizes(in, r, "input_shape");
    case_sizes(out, r, "output_shape");
    case_sizes(perm, r, "perm");
    case_tensor x = case_load(r, "input"), y = case_new(x.type, x.elems);
    krn_box box = {.rank = (int)rank};
    krn_steps(step, in, (int)rank);
    krn_steps(box.step_y, out, (int)rank);
    for (size_t k = 0; k < rank; k++) {
        box.dim[k] = out[k];
        box.step_x[k] = step[perm[k]];
    }
    krn_box_ref(y.data, x.data, 1, &box);
    case_free(&x);
    return y;
}

static case_tensor run_svdf(const case_run *r)
{
    const size_t rows = (size_t)case_number(r, "batches"), steps = (size_t)case_number(r, "steps");
    case_tensor x = case_load(r, "input_sequence"), state = case_load(r, "state");
    case_tensor feature = case_load(r, "weights_feature"), time = case_load(r, "weights_time");
    case_tensor bias = case_load(r, "bias");
    const krn_q_svdf p = {.in = (size_t)case_number(r, "input_size"),
                          .filters = (size_t)case_number(r, "feature_batches"),
                          .rank = (size_t)case_number(r, "rank"),
                          .memory = (size_t)case_number(r, "time_batches"),
                          .state_type = state.type,
                          .zero_x = (int32_t)case_number(r, "input_zero_point"),
                          .zero = (int32_t)case_number(r, "output_zero_point"),
                          .low = (int32_t)case_number(r, "activation_min"),
                          .high = (int32_t)case_number(r, "activation_max"),
                          .feature = feature.data,
                          .time = time.data,
                          .bias = bias.data,
                          .in_factor = case_factor(r, "input_multiplier", "input_shift"),
                          .out_factor = case_factor(r, "output_multiplier", "output_shift")};
    const size_t units = p.filters / p.rank;
    case_tensor y = case_new(KRN_I8, rows * units);
    for (size_t i = 0; i < steps * rows; i++)
        krn_q_svdf_step_ref((int8_t *)y.data + i % rows * units, (int8_t *)x.data + i * p.in,
                            (char *)state.data + i % rows * state.bytes / rows, &p);
    case_tensor *all[] = {&x, &state, &feature, &time, &bias};
    for (size_t i = 0; i < NF_COUNT(all); i++)
        case_free(all[i]);
    return y;
}

typedef struct lstm {
    krn_q_lstm p;
    case_tensor owned[2 * KRN_GATES];
    int64_t bias[KRN_GATES][64];
    uint16_t points[256];
} lstm;

static void read_gate(lstm *l, const case_run *r, int which, const char *name)
{
    static const char *const tensors[] = {"input_weights", "hidden_weights", "bias"};
    case_tensor *t = &l->owned[2 * which];
    char key[3][64], factor[4][64];
    for (int i = 0; i < 3; i++)
        (void)snprintf(key[i], sizeof(key[i]), "%s_gate_%s", name, tensors[i]);
    t[0] = case_load(r, key[0]);
    t[1] = case_load(r, key[1]);
    assert_true(l->p.cells <= NF_COUNT(l->bias[0]));
    case_bias(l->bias[which], l->p.cells, r, key[2]);
    (void)snprintf(factor[0], sizeof(factor[0]), "%s_gate_input_multiplier", name);
    (void)snprintf(factor[1], sizeof(factor[1]), "%s_gate_input_shift", name);
    (void)snprintf(factor[2], sizeof(factor[2]), "%s_gate_hidden_multiplier", name);
    (void)snprintf(factor[3], sizeof(factor[3]), "%s_gate_hidden_shift", name);
    l->p.gate[which] = (krn_q_gate){.w = t[0].data,
                                    .r = t[1].data,
                                    .bias = l->bias[which],
                                    .w_factor = case_factor(r, factor[0], factor[1]),
                                    .r_factor = case_factor(r, factor[2], factor[3])};
}

static void read_lstm(lstm *l, const case_run *r, krn_type type)
{
    static const char *const names[] = {"input", "forget", "cell", "output"};
    const size_t h = (size_t)case_number(r, "hidden_size");
    const int32_t zero = (int32_t)case_number(r, "output_offset");
    l->p = (krn_q_lstm){
        .in = (size_t)case_number(r, "input_size"),
        .cells = h,
        .out = h,
        .type = type,
        .zero_x = (int32_t)-case_number(r, "input_offset"),
        .zero = zero,
        .zero_hidden = zero,
        .power = (int)case_number(r, "cell_scale_power"),
        .cell_clip = (int32_t)case_number(r, "cell_clip"),
        .hidden = case_factor(r, "output_multiplier", "output_shift"),
        .points = l->points,
        .forget_factor = case_factor(r, "forget_to_cell_multiplier", "forget_to_cell_shift"),
        .input_factor = case_factor(r, "input_to_cell_multiplier", "input_to_cell_shift")};
    krn_logistic_points(l->points);
    for (int g = 0; g < KRN_GATES; g++)
        read_gate(l, r, g, names[g]);
}

static case_tensor run_lstm(const case_run *r)
{
    const size_t rows = (size_t)case_number(r, "batch_size");
    const size_t steps = (size_t)case_number(r, "time_steps");
    const bool by_time = case_number(r, "time_major") != 0;
    int16_t cell[64], scratch[320];
    char h[128];
    lstm l;
    case_tensor x = case_load(r, "input");
    read_lstm(&l, r, x.type);
    const krn_q_lstm *p = &l.p;
    const size_t size = x.type == KRN_I16 ? 2 : 1;
    case_tensor y = case_new(x.type, rows * steps * p->out);
    assert_true(p->cells <= NF_COUNT(cell) && krn_q_lstm_scratch(p) <= NF_COUNT(scratch));
    for (size_t b = 0; b < rows; b++) {
        memset(cell, 0, sizeof(cell));
        for (size_t c = 0; c < p->out; c++)
            krn_q_put(h, x.type, c, p->zero);
        for (size_t t = 0; t < steps; t++) {
            const size_t at = by_time ? t * rows + b : b * steps + t;
            krn_q_lstm_step_ref((char *)y.data + at * p->out * size,
                                (const char *)x.data + at * p->in * size, h, cell, p, scratch);
        }
    }
    case_tensor table = case_load(r, "sigmoid_table");
    assert_memory_equal(l.points, table.data, sizeof(l.points));
    case_free(&table);
    case_free(&x);
    for (size_t i = 0; i < NF_COUNT(l.owned); i++)
        case_free(&l.owned[i]);
    return y;
}

static case_tensor run_network(const case_run *r);

static case_tensor run_op(case_run *r, const char *op)
{
    static const struct {
        const char *op;
        case_tensor (*run)(const case_run *r);
    } ops[] = {{"conv", run_window},
               {"depthwise", run_window},
               {"transpose_conv", run_window},
               {"fully_connected", run_dense},
               {"batch_matmul", run_matmul},
               {"avg_pool", run_pool},
               {"max_pool", run_pool},
               {"softmax", run_softmax},
               {"add", run_add},
               {"maximum", run_choice},
               {"minimum", run_choice},
               {"transpose", run_transpose},
               {"svdf", run_svdf},
               {"lstm", run_lstm},
               {"network", run_network}};
    json_object_set_new(r->params, "op", json_string(op));
    for (size_t i = 0; i < NF_COUNT(ops); i++)
        if (!strcmp(ops[i].op, op)) return ops[i].run(r);
    fail_msg("%s: unknown op %s", r->folder, op);
    return (case_tensor){0};
}

static case_tensor run_network(const case_run *r)
{
    json_t *layers = json_object_get(r->params, "layers"), *layer;
    case_tensor x = case_load(r, "input");
    size_t i;
    json_array_foreach(layers, i, layer)
    {
        const char *op = json_string_value(json_object_get(layer, "op"));
        char prefix[32];
        (void)snprintf(prefix, sizeof(prefix), "layer_%lld_",
                       (long long)json_integer_value(json_object_get(layer, "index")));
        if (!strcmp(op, "reshape")) continue;
        case_run step = {r->folder, prefix, r->json, json_object_get(layer, "params"), &x};
        case_tensor y = run_op(&step, op);
        case_free(&x);
        x = y;
    }
    return x;
}

static bool is_equal(const char *folder, char op[32])
{
    char path[1024];
    json_error_t why;
    (void)snprintf(path, sizeof(path), "%s/case.json", folder);
    json_t *json = json_load_file(path, 0, &why);
    if (!json) fail_msg("%s: %s", path, why.text);
    case_run r = {folder, "", json, json_object_get(json, "params"), NULL};
    (void)snprintf(op, 32, "%s", json_string_value(json_object_get(json, "op")));
    case_tensor got = run_op(&r, op), want = case_load(&r, "output");
    const bool equal = got.bytes == want.bytes && !memcmp(got.data, want.data, got.bytes);
    if (!equal) print_message("differs: %s\n", folder);
    case_free(&got);
    case_free(&want);
    json_decref(json);
    return equal;
}

static void add(count *counts, const char *op, bool equal)
{
    size_t i = 0;
    while (i < MAX_OPS - 1 && counts[i].op[0] && strcmp(counts[i].op, op))
        i++;
    (void)snprintf(counts[i].op, sizeof(counts[i].op), "%s", op);
    counts[i].cases++;
    counts[i].equal += equal;
}

static void every_case_is_equal(void **state)
{
    count counts[MAX_OPS] = {{{0}, 0, 0}};
    char path[768], op[32];
    struct dirent *e;
    int cases = 0, equal = 0;
    (void)state;
    DIR *d = opendir(FOLDER);
    if (!d) {
        print_message("no recorded kernel cases beside this tree: nothing compared\n");
        skip();
    }
    while ((e = readdir(d))) {
        (void)snprintf(path, sizeof(path), "%s/%.255s/case.json", FOLDER, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!f) continue;
        (void)fclose(f);
        (void)snprintf(path, sizeof(path), "%s/%.255s", FOLDER, e->d_name);
        const bool same = is_equal(path, op);
        add(counts, op, same);
        cases++;
        equal += same;
    }
    closedir(d);
    for (size_t i = 0; i < MAX_OPS && counts[i].op[0]; i++)
        print_message("%-16s %d of %d equal\n", counts[i].op, counts[i].equal, counts[i].cases);
    assert_int_equal(equal, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_is_equal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

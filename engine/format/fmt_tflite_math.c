/* fmt_tflite_math.c - TensorFlow Lite's operators of numbers. Layer: format.
 * Thread rule: no shared state. */
#include "engine/format/fmt_tflite.h"

/* Operators that have no parameters, by their code of the schema's BuiltinOperator. */
static const struct {
    int32_t code;
    ir_op op;
} plain[] = {
    {8, IR_FLOOR},
    {14, IR_LOGISTIC},
    {28, IR_TANH},
    {47, IR_EXP},
    {53, IR_CAST}, /* its options repeat the types of the tensors */
    {54, IR_PRELU},
    {55, IR_MAXIMUM},
    {57, IR_MINIMUM},
    {58, IR_LESS},
    {59, IR_NEG},
    {61, IR_GREATER},
    {62, IR_GREATER_EQUAL},
    {63, IR_LESS_EQUAL},
    {66, IR_SIN},
    {71, IR_EQUAL},
    {72, IR_NOT_EQUAL},
    {73, IR_LOG},
    {75, IR_SQRT},
    {76, IR_RSQRT},
    {78, IR_POW},
    {84, IR_LOGICAL_OR},
    {86, IR_LOGICAL_AND},
    {87, IR_LOGICAL_NOT},
    {90, IR_FLOOR_DIV},
    {92, IR_SQUARE},
    {95, IR_FLOOR_MOD},
    {99, IR_SQUARED_DIFFERENCE},
    {101, IR_ABS},
    {104, IR_CEIL},
    {108, IR_COS},
    {116, IR_ROUND},
    {117, IR_HARD_SWISH},
    {123, IR_SELECT},
    {156, IR_ATAN2},
    {158, IR_SIGN},
    {159, IR_BITCAST},
    {160, IR_BITWISE_XOR},
    /* reductions and places, whose parameters are set below */
    {40, IR_MEAN},
    {56, IR_ARG_MAX},
    {74, IR_REDUCE_SUM},
    {79, IR_ARG_MIN},
    {81, IR_REDUCE_PROD},
    {82, IR_REDUCE_MAX},
    {89, IR_REDUCE_MIN},
    {91, IR_REDUCE_ANY},
    {140, IR_REDUCE_ALL},
};

static ir_op op_of(const fmt_tfl_op *op)
{
    size_t i = 0;
    while (plain[i].code != op->row->code)
        i++; /* the rows below ask for what is there */
    return plain[i].op;
}

static nf_status read_plain(fmt_tfl *t, const fmt_tfl_op *op)
{
    return fmt_tfl_add(&(ir_node *){NULL}, t, op, op_of(op), op->row->most);
}

static nf_status read_reduce(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, op_of(op), 2);
    if (!st) node->attr.reduce.keep_dims = fmt_fb_u8(&t->fb, op->options, 0, 0) != 0;
    return st;
}

static nf_status read_cumsum(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_CUMSUM, 2);
    if (st) return st;
    node->attr.reduce.exclusive = fmt_fb_u8(&t->fb, op->options, 0, 0) != 0;
    node->attr.reduce.reverse = fmt_fb_u8(&t->fb, op->options, 1, 0) != 0;
    return NF_OK;
}

static nf_status read_leaky_relu(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_LEAKY_RELU, 1);
    if (!st) node->attr.scalar.alpha = fmt_fb_f32(&t->fb, op->options, 0, 0);
    return st;
}

static nf_status read_elu(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_ELU, 1);
    if (!st) node->attr.scalar.alpha = 1;
    return st;
}

static nf_status read_gelu(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_GELU, 1);
    if (!st) node->attr.misc.flag = fmt_fb_u8(&t->fb, op->options, 0, 0) != 0;
    return st;
}

static nf_status read_right_shift(fmt_tfl *t, const fmt_tfl_op *op)
{
    ir_node *node;
    const nf_status st = fmt_tfl_add(&node, t, op, IR_BIT_SHIFT, 2);
    if (!st) node->attr.misc.flag = true;
    return st;
}

static nf_status read_log_softmax(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *x;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_LOG_SOFTMAX, 1))) return st;
    if ((st = fmt_tfl_in(&x, t, op, 0))) return st;
    node->attr.softmax.beta = 1;
    node->attr.softmax.axis = x->rank - 1;
    return NF_OK;
}

/* A condition of one dimension chooses whole rows: it becomes [rows, 1, …]. */
static nf_status condition_of_rows(fmt_tfl *t, ir_node *select, int rank)
{
    const int32_t c = select->in[0];
    ir_attr attr = {.reshape = {.rank = rank, .dim = {-1}}};
    ir_node *node;
    int32_t rows;
    nf_status st;
    for (int i = 1; i < rank; i++)
        attr.reshape.dim[i] = 1;
    if ((st = fmt_tfl_temp(&rows, t, ":condition", ENG_BOOL))) return st;
    select->in[0] = rows;
    if ((st = ir_add_node(&node, t->g, IR_RESHAPE, &c, 1, rows, t->err))) return st;
    node->attr = attr;
    return NF_OK;
}

static nf_status read_select(fmt_tfl *t, const fmt_tfl_op *op)
{
    const ir_tensor *c, *x;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_add(&node, t, op, IR_SELECT, 3))) return st;
    if ((st = fmt_tfl_in(&c, t, op, 0)) || (st = fmt_tfl_in(&x, t, op, 1))) return st;
    c = &t->g->tensors[node->in[0]];
    const bool rows = c->dtype == ENG_BOOL && c->rank == 1 && x->rank > 1;
    return rows ? condition_of_rows(t, node, x->rank) : NF_OK;
}

/* The sum of the first inputs, one more at a time. */
static nf_status read_add_n(fmt_tfl *t, const fmt_tfl_op *op)
{
    int32_t in[2], y, sum;
    ir_node *node;
    nf_status st;
    if ((st = fmt_tfl_tensor(&y, t, fmt_vec_i32(op->out, 0)))) return st;
    if ((st = fmt_tfl_tensor(&in[0], t, fmt_vec_i32(op->in, 0)))) return st;
    if (op->in.n == 1) return ir_add_node(NULL, t->g, IR_IDENTITY, in, 1, y, t->err);
    for (size_t i = 1; i < op->in.n; i++, in[0] = sum) {
        const eng_dtype dtype = t->g->tensors[y].dtype;
        sum = y;
        if (i + 1 < op->in.n && (st = fmt_tfl_temp(&sum, t, ":sum", dtype))) return st;
        if ((st = fmt_tfl_tensor(&in[1], t, fmt_vec_i32(op->in, i)))) return st;
        if ((st = ir_add_node(&node, t->g, IR_ADD, in, 2, sum, t->err))) return st;
        node->attr.binary.clamp = ir_no_clamp();
    }
    return NF_OK;
}

#define UNARY(code)                                                                                \
    {                                                                                              \
        code, 0, 1, 1, 1, read_plain                                                               \
    }
#define BINARY(code)                                                                               \
    {                                                                                              \
        code, 0, 2, 2, 1, read_plain                                                               \
    }
#define REDUCE(code)                                                                               \
    {                                                                                              \
        code, 27, 2, 2, 1, read_reduce                                                             \
    }
#define ARG(code)                                                                                  \
    {                                                                                              \
        code, 0, 2, 2, 1, read_plain                                                               \
    }

// clang-format off
const fmt_tfl_row fmt_tfl_math_rows[] = {
    /* code, options, inputs, results, reader */
    UNARY(8), UNARY(14), UNARY(28), UNARY(47), UNARY(53), UNARY(59), UNARY(66), UNARY(73),
    UNARY(75), UNARY(76), UNARY(87), UNARY(92), UNARY(101), UNARY(104), UNARY(108), UNARY(116),
    UNARY(117), UNARY(158), UNARY(159),
    BINARY(54), BINARY(55), BINARY(57), BINARY(58), BINARY(61), BINARY(62), BINARY(63), BINARY(71),
    BINARY(72), BINARY(78), BINARY(84), BINARY(86), BINARY(90), BINARY(95), BINARY(99), BINARY(156),
    BINARY(160),
    REDUCE(40), REDUCE(74), REDUCE(81), REDUCE(82), REDUCE(89), REDUCE(91), REDUCE(140),
    ARG(56), ARG(79),
    {50, 0, 1, 1, 1, read_log_softmax},
    {64, 0, 3, 3, 1, read_select},
    {98, 75, 1, 1, 1, read_leaky_relu},
    {106, 0, 1, 0, 1, read_add_n},
    {111, 0, 1, 1, 1, read_elu},
    {123, 0, 3, 3, 1, read_plain},
    {128, 102, 2, 2, 1, read_cumsum},
    {150, 116, 1, 1, 1, read_gelu},
    {161, 0, 2, 2, 1, read_right_shift},
    {.read = NULL},
};
// clang-format on

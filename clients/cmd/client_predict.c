/* client_predict.c - nearfar-client predict: one question, one answer. Layer: clients/cmd. */
#include "clients/cmd/client_cmd.h"
#include "clients/lib/answer.h"
#include "clients/lib/report_json.h"
#include "clients/lib/served.h"
#include "clients/lib/target.h"
#include "clients/lib/text_out.h"
#include "server/wire/wire.h"

#include <jansson.h>
#include <stdio.h>

typedef struct predict_opts {
    const char *url, *model, *input;
    int64_t timeout_us, connect_us;
    bool json;
} predict_opts;

#define AT(field) offsetof(predict_opts, field)
static const nf_opt rows[] = {
    {"url", "URL", "http://127.0.0.1:8080", "the server", NF_OPT_TEXT, AT(url), 0, 0, NULL},
    {"model", "NAME", "temp", "the model", NF_OPT_TEXT, AT(model), 0, 0, NULL},
    {"input", "JSON|FILE", "", "an instance, or an object with \"instances\"", NF_OPT_TEXT,
     AT(input), 0, 0, NULL},
    CL_ROW_TIMEOUT(predict_opts),
    CL_ROW_CONNECT(predict_opts),
    CL_ROW_JSON(predict_opts),
};

static const cl_usage usage = {
    "predict",
    "[--url URL] [--model NAME] --input JSON|FILE",
    "Asks one question and prints the answer. Without --input one is made to fit the model.",
    "nearfar-client predict --url http://127.0.0.1:8080 --model temp --input '[22.0,23.5,21.0]'",
    {rows, NF_COUNT(rows)}};

static void print_values(const cl_answer *a)
{
    fputs("values ", stdout);
    for (size_t i = 0; i < a->n_values && i < 16; i++)
        fprintf(stdout, " %.6g", a->value[i]);
    fputs(a->n_values > 16 ? " …\n" : "\n", stdout);
}

static void print_people(const cl_exchange *x, const cl_answer *a)
{
    char took[32];
    cl_served s;
    cl_served_parse(&s, cl_reply_header(x->reply, WIRE_HEADER_SERVED));
    if (a->labelled) fprintf(stdout, "%s (confidence %.4f)\n", a->label, a->confidence);
    if (!a->labelled || a->rows > 1) print_values(a);
    fprintf(stdout, "answered in %s",
            cl_time_text(took, sizeof(took), (double)(x->t.end - x->t.start)));
    if (s.known)
        fprintf(stdout, ", by %s version %s, %s in %s mode, %llu us queue + %llu us compute",
                s.model, s.version, s.precision, s.mode, (unsigned long long)s.queue_us,
                (unsigned long long)s.compute_us);
    fputc('\n', stdout);
}

/* The server's own reply under "reply", beside what was measured. */
static nf_status print_json(const cl_exchange *x, const cl_env *env, nf_error *err)
{
    const nf_span served = cl_reply_header(x->reply, WIRE_HEADER_SERVED);
    const nf_bytes body = cl_body(x);
    json_t *root = cl_json_root(env, 0);
    json_object_set_new(root, "latency_us", cl_json_us(true, (double)(x->t.end - x->t.start)));
    json_object_set_new(root, "bytes_up", json_integer((json_int_t)x->up_total));
    json_object_set_new(root, "bytes_down", json_integer((json_int_t)x->down_total));
    json_object_set_new(root, "served",
                        served.len ? json_stringn(served.s, served.len) : json_null());
    json_object_set_new(root, "reply", json_loadb((const char *)body.data, body.len, 0, NULL));
    return cl_json_print(root, stdout, err);
}

static int report(const predict_opts *o, const cl_exchange *x, const cl_env *env)
{
    nf_error err = {0};
    cl_answer a;
    char why[400];
    nf_status st;
    if (x->failure) {
        cl_why(why, sizeof(why), x);
        fprintf(stderr, "nearfar-client predict: %s: %s\n", o->url, why);
        return x->status ? CL_EXIT_ANSWERED_ERROR : CL_EXIT_UNREACHABLE;
    }
    if ((st = cl_answer_parse(&a, cl_body(x), &err))) {
        fprintf(stderr, "nearfar-client predict: %s: %s\n", o->url, err.text);
        return CL_EXIT_ANSWERED_ERROR;
    }
    if (o->json)
        st = print_json(x, env, &err);
    else
        print_people(x, &a);
    cl_answer_fini(&a);
    return st ? cl_cmd_fail("predict", st, &err) : CL_EXIT_OK;
}

static nf_status ask(const predict_opts *o, cl_client *client, cl_target *t, cl_exchange *x,
                     nf_error *err)
{
    nf_status st;
    cl_inputs in = {0};
    const cl_input_spec spec = {.input = o->input, .model = o->model, .made = 1, .seed = 1};
    if ((st = cl_inputs_get(&in, &spec, t, client, err))) return st;
    st = cl_target_prepare(t, o->model, &in, err);
    if (!st) st = cl_call_once(client, t->conn, &t->call[0], x, err);
    cl_inputs_fini(&in);
    return st;
}

int cl_cmd_predict(int argc, char **argv)
{
    predict_opts o = {0};
    nf_error err = {0};
    cl_client client;
    cl_target t = {0};
    cl_exchange x = {0};
    cl_env env;
    int code;

    cl_env_get(&env, argc, argv);
    if (!cl_cmd_parse(&o, &usage, 0, argc, argv, &code)) return code;
    const cl_limits limits = {.connect_us = (uint64_t)o.connect_us,
                              .response_us = (uint64_t)o.timeout_us,
                              .body_most = 256u << 20};
    nf_status st = cl_client_init(&client, &err);
    if (st) return cl_cmd_fail(usage.name, st, &err);
    st = cl_target_init(&t, &client, "target", o.url, &limits, &err);
    if (!st) st = ask(&o, &client, &t, &x, &err);
    code = st ? cl_cmd_fail(usage.name, st, &err) : report(&o, &x, &env);
    cl_target_fini(&t);
    cl_client_fini(&client);
    return code;
}

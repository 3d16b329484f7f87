/* table_ml.c - the kernels of ops_ml.h. Layer: plan. Thread rule: no shared state. */
#include "engine/plan/layer.h"

// clang-format off
const plan_kernel plan_ml_kernels[] = { /* op, kind, shown name, prepare, bind, run */
    {IR_TREE_CLASSIFIER,    PLAN_F32, "trees f32",         plan_trees,        plan_bind_trees,   plan_run_trees_f32},
    {IR_TREE_CLASSIFIER,    PLAN_INT, "trees f64",         plan_trees,        plan_bind_trees,   plan_run_trees_f64},
    {IR_TREE_REGRESSOR,     PLAN_F32, "trees f32",         plan_trees,        plan_bind_trees,   plan_run_trees_f32},
    {IR_TREE_REGRESSOR,     PLAN_INT, "trees f64",         plan_trees,        plan_bind_trees,   plan_run_trees_f64},
    {IR_TREE_ENSEMBLE,      PLAN_F32, "trees f32",         plan_trees_five,   plan_bind_trees,   plan_run_trees_f32},
    {IR_TREE_ENSEMBLE,      PLAN_INT, "trees f64",         plan_trees_five,   plan_bind_trees,   plan_run_trees_f64},
    {IR_SVM_CLASSIFIER,     PLAN_F32, "svm f32",           plan_svm,          plan_bind_svm,     plan_run_svm},
    {IR_SVM_REGRESSOR,      PLAN_F32, "svm f32",           plan_svm,          plan_bind_svm,     plan_run_svm},
    {IR_LINEAR_CLASSIFIER,  PLAN_F32, "linear f32",        plan_linear,       plan_bind_linear,  plan_run_linear},
    {IR_LINEAR_REGRESSOR,   PLAN_F32, "linear f32",        plan_linear,       plan_bind_linear,  plan_run_linear},
    {IR_SCALER,             PLAN_F32, "scaler f32",        plan_floats,       plan_bind_columns, plan_run_scaler},
    {IR_NORMALIZER,         PLAN_F32, "normalizer f32",    plan_floats,       plan_bind_columns, plan_run_normalizer},
    {IR_BINARIZER,          PLAN_F32, "binarizer f32",     plan_floats,       plan_bind_elems,   plan_run_binarizer},
    {IR_IMPUTER,            PLAN_F32, "imputer f32",       plan_imputer,      plan_bind_columns, plan_run_imputer},
    {IR_IMPUTER,            PLAN_INT, "imputer s64",       plan_imputer,      plan_bind_columns, plan_run_imputer},
    {IR_FEATURE_VECTORIZER, PLAN_F32, "join_columns f32",  plan_join,         plan_bind_join,    plan_run_join},
    {IR_PICK_COLUMNS,       PLAN_ANY, "pick_columns",      plan_pick_columns, plan_bind_columns, plan_run_pick_columns},
    {IR_MAP_KEYS,           PLAN_STR, "map_keys str",      plan_map_keys,     plan_bind_keys,    plan_run_map_keys},
    {IR_MAP_KEYS,           PLAN_INT, "map_keys",          plan_map_keys,     plan_bind_keys,    plan_run_map_keys},
    {IR_MAP_KEYS,           PLAN_F32, "map_keys f32",      plan_map_keys,     plan_bind_keys,    plan_run_map_keys},
    {IR_ONE_HOT_KEYS,       PLAN_STR, "one_hot_keys str",  plan_one_hot_keys, plan_bind_keys,    plan_run_one_hot_keys},
    {IR_ONE_HOT_KEYS,       PLAN_INT, "one_hot_keys s64",  plan_one_hot_keys, plan_bind_keys,    plan_run_one_hot_keys},
    {IR_STRING_NORMALIZER,  PLAN_STR, "string_normalizer", plan_texts,        plan_bind_string_normalizer, plan_run_string_normalizer},
    {.name = NULL},
};
// clang-format on

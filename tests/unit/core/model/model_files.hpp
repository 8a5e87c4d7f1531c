// SPDX-License-Identifier: Apache-2.0
// Models small enough to be read: one tree that tests one feature.
#pragma once
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace nfstreamd::test {

struct SmallModel {
    std::string objective = R"({"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}})";
    std::string classes = "0";
    std::string features = R"(["bidirectional_packets","src_port"])";
    std::string attributes = "{}";
    std::string left = "[1,-1,-1]", right = "[2,-1,-1]", parents = "[2147483647,0,0]";
    std::string tests = "[0,0,0]";              // which feature
    std::string conditions = "[3.0,-2.0,2.0]";  // less than that goes left; leaves: their values
    std::string booster = "gbtree";
    std::string trees = "1", info = "[0]";
    std::string base_score = "5E-1";

    std::string json() const {
        return fmt::format(
            R"({{"learner":{{"attributes":{},"feature_names":{},"feature_types":["int","int"],)"
            R"("gradient_booster":{{"model":{{"gbtree_model_param":{{"num_parallel_tree":"1","num_trees":"{}",)"
            R"("size_leaf_vector":"0"}},"tree_info":{},"trees":[{{"base_weights":[0.0,-2.0,2.0],"categories":[],)"
            R"("categories_nodes":[],"categories_segments":[],"categories_sizes":[],"default_left":[1,0,0],"id":0,)"
            R"("left_children":{},"loss_changes":[1.0,0.0,0.0],"parents":{},"right_children":{},)"
            R"("split_conditions":{},"split_indices":{},"split_type":[0,0,0],"sum_hessian":[2.0,1.0,1.0],)"
            R"("tree_param":{{"num_deleted":"0","num_feature":"2","num_nodes":"3","size_leaf_vector":"0"}}}}]}},)"
            R"("name":"{}"}},"learner_model_param":{{"base_score":"{}","boost_from_average":"1",)"
            R"("num_class":"{}","num_feature":"2","num_target":"1"}},"objective":{}}},"version":[1,7,4]}})",
            attributes, features, trees, info, left, parents, right, conditions, tests, booster, base_score, classes,
            objective);
    }
};

// Of the same tree: its value for a flow, plus nothing.
inline SmallModel number_model() {
    return {.objective = R"({"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}})", .base_score = "0"};
}

inline std::string write_model(const std::filesystem::path& path, const std::string& octets) {
    std::ofstream(path, std::ios::binary) << octets;
    return path.string();
}

}  // namespace nfstreamd::test

// SPDX-License-Identifier: Apache-2.0
// The only file that sees nlohmann's JSON. Nothing is taken from a document
// before it is known to be bounded, and nothing of it is believed.
#include "core/model/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/plugin/plugin_text.hpp"

namespace nfstreamd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 32;

struct Objective {
    std::string_view name;
    ModelFile::Kind kind;
    bool gives_margins;
};
constexpr std::array kObjectives{
    Objective{"binary:logistic", ModelFile::Kind::kBinary, false},
    Objective{"multi:softprob", ModelFile::Kind::kMulticlass, false},
    Objective{"multi:softmax", ModelFile::Kind::kMulticlass, true},
    Objective{"reg:squarederror", ModelFile::Kind::kNumber, false},
    Objective{"reg:squaredlogerror", ModelFile::Kind::kNumber, false},
    Objective{"reg:absoluteerror", ModelFile::Kind::kNumber, false},
    Objective{"reg:pseudohubererror", ModelFile::Kind::kNumber, false},
    Objective{"reg:logistic", ModelFile::Kind::kNumber, false},
    Objective{"reg:gamma", ModelFile::Kind::kNumber, false},
    Objective{"reg:tweedie", ModelFile::Kind::kNumber, false},
    Objective{"count:poisson", ModelFile::Kind::kNumber, false},
};

// Walks a document before it is built in memory: how deep, how large, no key twice.
class Bounds final : public Json::json_sax_t {
public:
    explicit Bounds(std::size_t octets) : octets_(octets) {}

    const std::string& problem() const { return problem_; }

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool string(string_t&) override { return value(); }
    bool binary(binary_t&) override { return fail("has binary values"); }
    bool start_object(std::size_t elements) override {
        keys_.emplace_back();
        return begin(elements);
    }
    bool key(string_t& key) override {
        return keys_.back().insert(key).second || fail(fmt::format("has the key \"{}\" twice", plugin_text(key)));
    }
    bool end_object() override {
        keys_.pop_back();
        return end();
    }
    bool start_array(std::size_t elements) override { return begin(elements); }
    bool end_array() override { return end(); }
    bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
        return fail(fmt::format("is damaged, or no model, at octet {}", position));
    }

private:
    // A value takes an octet at least, but for what UBJSON says in its head of an array.
    bool value() { return ++values_ <= octets_ || fail("has more values than octets"); }
    bool begin(std::size_t elements) {
        if (++depth_ > kDeepest) return fail(fmt::format("is more than {} levels deep", kDeepest));
        if (elements != std::numeric_limits<std::size_t>::max() && elements > octets_ - std::min(octets_, values_))
            return fail("has a list that is longer than the file");
        return value();
    }
    bool end() {
        --depth_;
        return true;
    }
    bool fail(std::string why) {
        if (problem_.empty()) problem_ = std::move(why);
        return false;
    }

    const std::size_t octets_;
    std::size_t values_ = 0, depth_ = 0;
    std::vector<std::set<std::string>> keys_;
    std::string problem_;
};

const Json& nothing() {
    static const Json none;
    return none;
}

const Json& at(const Json& from, std::string_view key) {
    if (!from.is_object()) return nothing();
    const auto found = from.find(key);
    return found == from.end() ? nothing() : *found;
}

const Json& at(const Json& from, std::initializer_list<std::string_view> path) {
    const Json* here = &from;
    for (const auto key : path) here = &at(*here, key);
    return *here;
}

std::string text(const Json& from) {
    return from.is_string() ? from.get<std::string>() : std::string();
}

// XGBoost writes its parameters as text.
std::optional<std::uint32_t> number(const Json& from) {
    const std::string digits = text(from);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

std::optional<std::int64_t> integer(const Json& from) {
    if (from.is_number_unsigned()) {
        const auto value = from.get<std::uint64_t>();
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) return std::nullopt;
        return static_cast<std::int64_t>(value);
    }
    if (from.is_number_integer()) return from.get<std::int64_t>();
    return std::nullopt;
}

std::optional<std::vector<std::string>> texts(const Json& from) {
    std::vector<std::string> out;
    if (from.is_null()) return out;
    if (!from.is_array()) return std::nullopt;
    for (const Json& one : from) {
        if (!one.is_string()) return std::nullopt;
        out.push_back(one.get<std::string>());
    }
    return out;
}

// One tree: each node that is reached is reached once, and tests a feature that there is.
class Tree {
public:
    Tree(const Json& tree, std::uint32_t features) : tree_(tree), features_(features) {}

    // What is wrong, or nothing.
    std::string check() {
        const auto nodes = number(at(tree_, {"tree_param", "num_nodes"}));
        const auto vector = number(at(tree_, {"tree_param", "size_leaf_vector"}));
        if (!nodes || *nodes == 0) return "says no number of nodes";
        if (!vector || *vector > 1) return "has vectors in its leaves";
        for (const char* list : {"left_children", "right_children", "parents", "split_indices"})
            if (auto fault = check_list(list, *nodes, is_integer); !fault.empty()) return fault;
        for (const char* list : {"split_conditions", "base_weights", "loss_changes", "sum_hessian"})
            if (auto fault = check_list(list, *nodes, is_number); !fault.empty()) return fault;
        if (auto fault = check_list("default_left", *nodes, is_flag); !fault.empty()) return fault;
        if (auto fault = check_categories(*nodes); !fault.empty()) return fault;
        return check_links(*nodes);
    }

private:
    static bool is_integer(const Json& one) { return one.is_number_integer(); }
    static bool is_number(const Json& one) { return one.is_number(); }
    static bool is_flag(const Json& one) { return one.is_number_integer() || one.is_boolean(); }

    std::string check_list(const char* name, std::uint32_t nodes, bool (*is_of_kind)(const Json&)) const {
        const Json& list = at(tree_, name);
        if (!list.is_array() || list.size() != nodes) return fmt::format("has no {} for each node", name);
        if (!std::all_of(list.begin(), list.end(), is_of_kind))
            return fmt::format("has something else than numbers in {}", name);
        return {};
    }

    std::string check_categories(std::uint32_t nodes) const {
        for (const char* list : {"categories", "categories_nodes", "categories_segments", "categories_sizes"})
            if (const Json& given = at(tree_, list); !given.is_null() && (!given.is_array() || !given.empty()))
                return "splits by categories: train without enable_categorical";
        const Json& types = at(tree_, "split_type");
        if (types.is_null()) return {};
        if (auto fault = check_list("split_type", nodes, is_integer); !fault.empty()) return fault;
        if (std::any_of(types.begin(), types.end(), [](const Json& type) { return integer(type) != 0; }))
            return "splits by categories: train without enable_categorical";
        return {};
    }

    std::string check_links(std::uint32_t nodes) const {
        const Json &left = at(tree_, "left_children"), &right = at(tree_, "right_children"),
                   &parents = at(tree_, "parents"), &tests = at(tree_, "split_indices");
        const auto is_node = [nodes](const std::optional<std::int64_t>& index) {
            return index && *index >= 0 && *index < std::int64_t{nodes};
        };
        for (std::size_t i = 1; i < nodes; ++i)
            if (!is_node(integer(parents[i]))) return fmt::format("has a node {} without a parent", i);
        std::string seen(nodes, '0');
        std::vector<std::size_t> wait{0};
        while (!wait.empty()) {
            const std::size_t node = wait.back();
            wait.pop_back();
            if (std::exchange(seen[node], '1') == '1') return fmt::format("comes to node {} twice", node);
            const auto one = integer(left[node]), other = integer(right[node]);
            if (one == -1 && other == -1) continue;
            if (!is_node(one) || !is_node(other))
                return fmt::format("leads from node {} to one that is not there", node);
            const auto feature = integer(tests[node]);
            if (!feature || *feature < 0 || *feature >= std::int64_t{features_})
                return fmt::format("tests a feature at node {} that is not there", node);
            wait.push_back(static_cast<std::size_t>(*one));
            wait.push_back(static_cast<std::size_t>(*other));
        }
        return {};
    }

    const Json& tree_;
    const std::uint32_t features_;
};

// The document, from its top to the trees. Each step says what is wrong, or nothing.
class Document {
public:
    Document(const Json& root, ModelFile& model) : learner_(at(root, "learner")), model_(model) {}

    std::string check() {
        if (!learner_.is_object())
            return "is no model of XGBoost: it has no \"learner\"; write it with save_model(), to a name that ends in "
                   ".json or .ubj";
        for (auto step : {&Document::take_objective, &Document::take_sizes, &Document::take_features,
                          &Document::take_attributes, &Document::take_classes, &Document::check_trees})
            if (auto fault = (this->*step)(); !fault.empty()) return fault;
        return {};
    }

private:
    std::string take_objective() {
        model_.objective = plugin_text(text(at(learner_, {"objective", "name"})));
        const auto known = std::find_if(kObjectives.begin(), kObjectives.end(),
                                        [this](const Objective& one) { return one.name == model_.objective; });
        if (known == kObjectives.end()) {
            std::string names;
            for (const Objective& one : kObjectives) names += fmt::format("{}{}", names.empty() ? "" : " ", one.name);
            return fmt::format("has the objective \"{}\"; supported are {}", model_.objective, names);
        }
        model_.kind = known->kind;
        model_.gives_margins = known->gives_margins;
        return {};
    }

    std::string take_sizes() {
        const Json& sizes = at(learner_, "learner_model_param");
        const auto features = number(at(sizes, "num_feature")), classes = number(at(sizes, "num_class"));
        if (!features || *features == 0 || *features > kMostFeatures)
            return fmt::format("has a number of features that is not from 1 to {}", kMostFeatures);
        if (!classes) return "says no number of classes";
        if (const Json& targets = at(sizes, "num_target"); !targets.is_null() && number(targets).value_or(0) > 1)
            return "gives several numbers for each flow";
        model_.feature_count = *features;
        if (model_.kind != ModelFile::Kind::kMulticlass) return *classes > 1 ? "has classes, unlike its objective" : "";
        if (*classes < 2 || *classes > kMostClasses)
            return fmt::format("has a number of classes that is not from 2 to {}", kMostClasses);
        if (number(at(learner_, {"objective", "softmax_multiclass_param", "num_class"})) != classes)
            return "says two numbers of classes";
        model_.outputs = *classes;
        return {};
    }

    std::string take_features() {
        auto names = texts(at(learner_, "feature_names"));
        const auto types = texts(at(learner_, "feature_types"));
        if (!names || !types) return "has something else than texts for its features";
        if (!names->empty() && names->size() != model_.feature_count)
            return fmt::format("names {} features and has {}", names->size(), model_.feature_count);
        if (std::find(types->begin(), types->end(), "c") != types->end())
            return "has features that are categories: train without enable_categorical";
        model_.features = std::move(*names);
        return {};
    }

    // Texts of whoever trained it, and what XGBoost's own training notes there.
    std::string take_attributes() {
        const Json& attributes = at(learner_, "attributes");
        if (attributes.is_null()) return {};
        if (!attributes.is_object()) return "has attributes that are no map";
        if (!std::all_of(attributes.begin(), attributes.end(), [](const Json& one) { return one.is_string(); }))
            return "has an attribute that is no text";
        const Json& best = at(attributes, "best_iteration");
        if (best.is_null()) return {};
        const auto round = number(best);
        if (!round || *round >= kMostModelOctets) return "has a best_iteration that is no number";
        model_.rounds = *round + 1;
        return {};
    }

    std::string take_classes() {
        const std::string given = text(at(learner_, {"attributes", "classes"}));
        if (given.empty() || model_.kind == ModelFile::Kind::kNumber) return {};
        Bounds bounds(given.size());
        if (!Json::sax_parse(given, &bounds)) return "has an attribute \"classes\" that is no JSON list of names";
        auto names = texts(Json::parse(given, nullptr, false));
        if (!names) return "has an attribute \"classes\" that is no JSON list of names";
        if (names->size() != model_.class_count())
            return fmt::format("has names for {} classes and {} classes", names->size(), model_.class_count());
        for (std::string& name : *names) name = plugin_text(name);
        model_.classes = std::move(*names);
        return {};
    }

    std::string check_trees() {
        const Json& booster = at(learner_, "gradient_booster");
        const std::string name = text(at(booster, "name"));
        if (name != "gbtree")
            return fmt::format("has the booster \"{}\"; gbtree is the one that is supported", plugin_text(name));
        const Json &forest = at(booster, "model"), &trees = at(forest, "trees"), &info = at(forest, "tree_info");
        const auto count = number(at(forest, {"gbtree_model_param", "num_trees"}));
        if (!trees.is_array() || !info.is_array() || !count || *count != trees.size() || info.size() != trees.size())
            return "has another number of trees than it says";
        if (trees.empty()) return "has no trees";
        if (const Json& rounds = at(forest, "iteration_indptr"); !rounds.is_null())
            if (auto fault = check_rounds(rounds, trees.size()); !fault.empty()) return fault;
        if (!number(at(forest, {"gbtree_model_param", "num_parallel_tree"})).value_or(0))
            return "says no number of parallel trees";
        model_.trees = trees.size();
        const std::size_t of_a_round =
            std::size_t{model_.outputs} * *number(at(forest, {"gbtree_model_param", "num_parallel_tree"}));
        if (trees.size() % of_a_round != 0) return "has a round that is not whole";
        if (model_.rounds > trees.size() / of_a_round) return "has a best_iteration behind its last";
        for (std::size_t i = 0; i < trees.size(); ++i) {
            if (integer(at(trees[i], "id")) != static_cast<std::int64_t>(i)) return fmt::format("has no tree {}", i);
            const auto output = integer(info[i]);
            if (!output || *output < 0 || *output >= std::int64_t{model_.outputs})
                return fmt::format("has a tree {} of a class that is not there", i);
            if (auto fault = Tree(trees[i], model_.feature_count).check(); !fault.empty())
                return fmt::format("has a tree {} that {}", i, fault);
        }
        return {};
    }

    // Where rounds begin, in files of later versions.
    static std::string check_rounds(const Json& rounds, std::size_t trees) {
        if (!rounds.is_array() || rounds.empty()) return "has rounds that are no list";
        std::int64_t last = 0;
        for (const Json& one : rounds) {
            const auto begin = integer(one);
            if (!begin || *begin < last || *begin > static_cast<std::int64_t>(trees))
                return "has rounds that do not follow each other";
            last = *begin;
        }
        return {};
    }

    const Json& learner_;
    ModelFile& model_;
};

Error wrong(const std::string& path, std::string_view what) {
    return {ErrorCode::kInvalidArgument, std::string(what), path};
}

}  // namespace

Result<ModelFile> parse_model(std::string octets, const std::string& path) {
    if (octets.size() > kMostModelOctets)
        return wrong(path, fmt::format("is larger than {} MiB", kMostModelOctets >> 20));
    // the library tells the formats apart in the same way
    if (octets.size() < 2 || octets[0] != '{')
        return wrong(path,
                     "is no model of XGBoost in JSON or UBJSON: write it with save_model(), to a name that ends in "
                     ".json or .ubj");
    const auto format = octets[1] == '"' ? Json::input_format_t::json : Json::input_format_t::ubjson;
    ModelFile model;
    model.path = path;
    try {
        Bounds bounds(octets.size());
        if (!Json::sax_parse(octets, &bounds, format)) return wrong(path, bounds.problem());
        const Json root = format == Json::input_format_t::json ? Json::parse(octets) : Json::from_ubjson(octets);
        if (const auto fault = Document(root, model).check(); !fault.empty()) return wrong(path, fault);
    } catch (const std::exception& exception) {  // of the parser: what it cannot hold
        return wrong(path, plugin_text(exception.what()));
    }
    model.octets = std::move(octets);
    return model;
}

Result<ModelFile> read_model_file(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
        return Error{ErrorCode::kNotFound, "there is no such file", path};
    if (!error && status.type() != std::filesystem::file_type::regular) return wrong(path, "is not a regular file");
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{ErrorCode::kPermission, fmt::format("cannot be read: {}", std::strerror(errno)), path};
    std::string octets;
    std::array<char, 65536> some;
    while (in && octets.size() <= kMostModelOctets) {
        in.read(some.data(), some.size());
        octets.append(some.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad()) return Error{ErrorCode::kIo, "cannot be read to its end", path};
    return parse_model(std::move(octets), path);
}

}  // namespace nfstreamd

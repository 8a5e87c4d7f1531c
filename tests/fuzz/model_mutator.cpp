// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/model_mutator.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <iterator>

namespace nfstreamd::fuzz {
namespace {

using Kind = JsonValue::Kind;

constexpr const char* kPlain[] = {
    "0",  "1",         "2",    "3",   "-1",   "-0",    "4294967296", "4294967295", "2147483647", "-2147483648",
    "65", "1.5",       "-2.5", "1e9", "1e39", "1e400", "1e-400",     "true",       "false",      "null",
    "-1", "127",       "128",  "255", "256",  "32768", "NaN",        "-Infinity",  "2.0E0",      "9223372036854775807",
    "0",  "2147483648"};
constexpr const char* kTexts[] = {"0",
                                  "1",
                                  "2",
                                  "3",
                                  "4",
                                  "-1",
                                  "4294967295",
                                  "4096",
                                  "5E-1",
                                  "nan",
                                  "1e39",
                                  "gbtree",
                                  "dart",
                                  "gblinear",
                                  "c",
                                  "int",
                                  "float",
                                  "i",
                                  "q",
                                  "",
                                  "binary:logistic",
                                  "multi:softprob",
                                  "multi:softmax",
                                  "reg:squarederror",
                                  "count:poisson",
                                  "rank:pairwise",
                                  "reg:tweedie",
                                  "reg:gamma",
                                  "reg:logistic",
                                  "reg:absoluteerror",
                                  "reg:pseudohubererror",
                                  "reg:squaredlogerror",
                                  "[\\\"a\\\",\\\"b\\\"]",
                                  "[\\\"\\\\u001b[2J\\\",\\\"b\\\"]",
                                  "\\u0000\\ud83d\\ude00",
                                  "\\u001b[2J"};
constexpr const char* kKeys[] = {
    "learner",   "attributes",         "best_iteration",   "classes",      "feature_names", "feature_types",
    "objective", "num_class",          "num_feature",      "num_target",   "num_trees",     "num_nodes",
    "id",        "split_type",         "iteration_indptr", "categories",   "weight_drop",   "gbtree",
    "version",   "num_boosted_rounds", "size_leaf_vector", "leaf_weights", "base_score"};

class Reader {
public:
    explicit Reader(std::string_view json) : rest_(json) {}

    std::optional<JsonValue> read() {
        JsonValue value;
        if (!take(value, 0)) return std::nullopt;
        skip();
        return rest_.empty() ? std::optional(std::move(value)) : std::nullopt;
    }

private:
    void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
    bool is_next(char c) {
        skip();
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take_text(std::string& out) {
        if (!is_next('"')) return false;
        std::size_t end = 0;
        while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
        if (end >= rest_.size()) return false;
        out = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return true;
    }
    bool take(JsonValue& value, int depth) {
        if (depth > 40) return false;
        skip();
        if (rest_.empty()) return false;
        const bool is_map = rest_[0] == '{';
        if (rest_[0] == '"') {
            value.kind = Kind::kText;
            return take_text(value.text);
        }
        if (!is_map && rest_[0] != '[') {
            const auto end = std::min(rest_.find_first_of(",]} \t\r\n:\""), rest_.size());
            value.text = rest_.substr(0, end);
            rest_.remove_prefix(end);
            return end != 0;
        }
        value.kind = is_map ? Kind::kMap : Kind::kList;
        rest_.remove_prefix(1);
        const char end = is_map ? '}' : ']';
        if (is_next(end)) return true;
        do {
            auto& [key, member] = value.of.emplace_back();
            if (is_map && (!take_text(key) || !is_next(':'))) return false;
            if (!take(member, depth + 1)) return false;
        } while (is_next(','));
        return is_next(end);
    }

    std::string_view rest_;
};

void write_json(std::string& out, const JsonValue& value) {
    if (value.kind == Kind::kPlain || value.kind == Kind::kText) {
        const char* quote = value.kind == Kind::kText ? "\"" : "";
        out.append(quote).append(value.text).append(quote);
        return;
    }
    const bool is_map = value.kind == Kind::kMap;
    out += is_map ? '{' : '[';
    for (const auto& [key, member] : value.of) {
        if (&member != &value.of.front().value) out += ',';
        if (is_map) out.append("\"").append(key).append("\":");
        write_json(out, member);
    }
    out += is_map ? '}' : ']';
}

JsonValue plain(std::string text) {
    return {Kind::kPlain, std::move(text), {}};
}

JsonValue* at(JsonValue& from, std::initializer_list<std::string_view> path) {
    JsonValue* here = &from;
    for (const auto key : path)
        if (here != nullptr) here = here->at(key);
    return here;
}

bool is_integer(const std::string& text) {
    return !text.empty() && text.find_first_not_of("-0123456789") == text.npos;
}

}  // namespace

std::optional<JsonValue> JsonValue::read(std::string_view json) {
    return Reader(json).read();
}

std::string JsonValue::json() const {
    std::string out;
    write_json(out, *this);
    return out;
}

JsonValue* JsonValue::at(std::string_view key) {
    const auto found = std::find_if(of.begin(), of.end(), [key](const auto& member) { return member.key == key; });
    return found == of.end() ? nullptr : &found->value;
}

void ModelMutator::mutate(JsonValue& model) {
    for (std::size_t times = 1 + below(3); times > 0; --times) {
        switch (below(8)) {
            case 0:
                grow_tree(model);
                break;
            case 1:
                add_tree(model);
                break;
            case 2:
                change_link(model);
                break;
            case 3:
                name_classes(model);
                break;
            default:
                change(any_value(model), model);
        }
    }
}

// Each level as likely as the next, so that the numbers of the trees do not have it all.
JsonValue& ModelMutator::any_value(JsonValue& from) {
    JsonValue* here = &from;
    while (!here->of.empty() && below(8) != 0) here = &here->of[below(here->of.size())].value;
    return *here;
}

void ModelMutator::change(JsonValue& value, JsonValue& model) {
    switch (below(8)) {
        case 0: {  // what is somewhere else
            JsonValue copy = any_value(model);
            if (copy.json().size() < 1000) value = std::move(copy);
            return;
        }
        case 1:  // another kind
            value = plain(kPlain[below(std::size(kPlain))]);
            if (below(2) == 0) value.kind = Kind::kText;
            return;
        default:
            if (value.kind == Kind::kPlain || value.kind == Kind::kText) return change_text(value);
            change_members(value, model);
    }
}

void ModelMutator::change_text(JsonValue& value) {
    if (value.kind == Kind::kText) {
        value.text = kTexts[below(std::size(kTexts))];
        return;
    }
    if (is_integer(value.text) && below(2) == 0) {
        const long long number = std::strtoll(value.text.c_str(), nullptr, 10);
        const int step = number > 0 ? -1 : 1;
        value.text = std::to_string(
            number + (number > 1'000'000 || number < -1'000'000 ? step : static_cast<int>(below(3)) - 1));
        return;
    }
    value.text = kPlain[below(std::size(kPlain))];
}

void ModelMutator::change_members(JsonValue& value, JsonValue& model) {
    auto& members = value.of;
    const std::size_t which = below(members.size());
    const auto place = members.begin() + static_cast<std::ptrdiff_t>(which);
    switch (members.empty() ? 4 : below(6)) {
        case 0:
            members.erase(place);
            return;
        case 1:
            members.insert(place, JsonMember(*place));
            return;
        case 2:
            std::swap(members[which].value, members[below(members.size())].value);
            return;
        case 3:
            members.resize(which);
            return;
        case 4: {
            JsonValue copy = any_value(model);
            if (copy.json().size() < 1000) members.push_back({kKeys[below(std::size(kKeys))], std::move(copy)});
            return;
        }
        default:
            if (value.kind == Kind::kMap) members[which].key = kKeys[below(std::size(kKeys))];
    }
}

// A leaf becomes a node with two leaves.
void ModelMutator::grow_tree(JsonValue& model) {
    JsonValue* trees = at(model, {"learner", "gradient_booster", "model", "trees"});
    if (trees == nullptr || trees->of.empty()) return;
    JsonValue& tree = trees->of[below(trees->of.size())].value;
    JsonValue *left = tree.at("left_children"), *right = tree.at("right_children"), *parents = tree.at("parents"),
              *count = at(tree, {"tree_param", "num_nodes"});
    if (left == nullptr || right == nullptr || parents == nullptr || count == nullptr) return;
    const std::size_t nodes = left->of.size();
    if (nodes == 0 || nodes > 64 || right->of.size() != nodes) return;
    const std::size_t leaf = below(nodes);
    if (left->of[leaf].value.text != "-1") return;
    left->of[leaf].value.text = std::to_string(nodes);
    right->of[leaf].value.text = std::to_string(nodes + 1);
    for (auto& [name, list] : tree.of) {
        if (list.kind != Kind::kList || list.of.size() != nodes) continue;
        for (int i = 0; i < 2; ++i)
            list.of.push_back({"", name == "parents"             ? plain(std::to_string(leaf))
                                   : name.ends_with("_children") ? plain("-1")
                                                                 : JsonValue(list.of[leaf].value)});
    }
    count->text = std::to_string(nodes + 2);
}

// To a node that is there, or is just not.
void ModelMutator::change_link(JsonValue& model) {
    JsonValue* trees = at(model, {"learner", "gradient_booster", "model", "trees"});
    if (trees == nullptr || trees->of.empty()) return;
    constexpr const char* kLists[] = {"left_children", "right_children", "parents", "split_indices"};
    JsonValue* list = trees->of[below(trees->of.size())].value.at(kLists[below(std::size(kLists))]);
    if (list == nullptr || list->of.empty()) return;
    const std::size_t nodes = list->of.size();
    list->of[below(nodes)].value = plain(std::to_string(below(2 * nodes + 4)));
}

// As many as there are, mostly.
void ModelMutator::name_classes(JsonValue& model) {
    JsonValue *attributes = at(model, {"learner", "attributes"}),
              *count = at(model, {"learner", "learner_model_param", "num_class"});
    if (attributes == nullptr || attributes->kind != Kind::kMap || count == nullptr) return;
    constexpr const char* kNames[] = {"a", "b", "", "\\\\u001b[2J", "\\\\n", "\\u202e", "\\\\ud83d", "c d"};
    const int classes = std::clamp(std::atoi(count->text.c_str()), 2, 8) + (below(8) == 0 ? 1 : 0);
    JsonValue list{Kind::kText, "[", {}};
    for (int i = 0; i < classes; ++i)
        list.text += (i == 0 ? "\\\"" : ",\\\"") + std::string(kNames[below(std::size(kNames))]) + "\\\"";
    list.text += ']';
    std::erase_if(attributes->of, [](const JsonMember& member) { return member.key == "classes"; });
    attributes->of.push_back({"classes", std::move(list)});
}

void ModelMutator::add_tree(JsonValue& model) {
    JsonValue* forest = at(model, {"learner", "gradient_booster", "model"});
    if (forest == nullptr) return;
    JsonValue *trees = forest->at("trees"), *info = forest->at("tree_info"),
              *count = at(*forest, {"gbtree_model_param", "num_trees"});
    if (trees == nullptr || info == nullptr || count == nullptr || trees->of.empty() || trees->of.size() > 16) return;
    JsonValue tree = trees->of[below(trees->of.size())].value;
    if (JsonValue* id = tree.at("id")) id->text = std::to_string(trees->of.size());
    trees->of.push_back({"", std::move(tree)});
    info->of.push_back({"", plain(std::to_string(below(3)))});
    count->text = std::to_string(trees->of.size());
}

std::string ModelMutator::ubjson(const JsonValue& model) {
    std::string out;
    write(out, {}, model);
    return out;
}

char ModelMutator::marker_for(std::int64_t number) {
    std::string fit = "L";
    if (number >= INT32_MIN && number <= INT32_MAX) fit += "llll";
    if (number >= INT16_MIN && number <= INT16_MAX) fit += 'I';
    if (number >= INT8_MIN && number <= INT8_MAX) fit += 'i';
    if (number >= 0 && number <= UINT8_MAX) fit += 'U';
    return below(32) == 0 ? "iUIlLdD"[below(7)] : fit[below(fit.size())];
}

void ModelMutator::write_number(std::string& out, const std::string& text, char marker) {
    const double real = std::strtod(text.c_str(), nullptr);
    const auto number = static_cast<std::uint64_t>(std::strtoll(text.c_str(), nullptr, 10));
    std::size_t octets = marker == 'i' || marker == 'U' ? 1 : marker == 'I' ? 2 : marker == 'l' ? 4 : 8;
    std::uint64_t bits = number;
    if (marker == 'D') bits = std::bit_cast<std::uint64_t>(real);
    if (marker == 'd') {
        octets = 4;
        const double largest = 3.4e38;
        bits =
            std::bit_cast<std::uint32_t>(real != real ? 0.0F : static_cast<float>(std::clamp(real, -largest, largest)));
    }
    while (octets-- > 0) out += static_cast<char>(bits >> 8 * octets);
}

void ModelMutator::write_size(std::string& out, std::size_t size) {
    // as XGBoost does, or as short as can be
    const char marker = below(3) != 0 ? 'L' : marker_for(static_cast<std::int64_t>(size));
    out += marker;
    write_number(out, std::to_string(size), marker);
}

// Of a list of numbers that XGBoost writes behind one marker; 0: each has its own.
char ModelMutator::common_marker(std::string_view name, const JsonValue& list) {
    for (const auto& [key, one] : list.of)
        if (one.kind != Kind::kPlain) return 0;
    if (below(64) == 0) return "iUIlLdD"[below(7)];
    struct Typed {
        char marker;
        std::string_view name;
    };
    constexpr Typed kTyped[] = {{'U', "default_left"},     {'U', "split_type"},      {'L', "categories_segments"},
                                {'L', "categories_sizes"}, {'d', "base_weights"},    {'d', "loss_changes"},
                                {'d', "split_conditions"}, {'d', "sum_hessian"},     {'l', "left_children"},
                                {'l', "parents"},          {'l', "right_children"},  {'l', "split_indices"},
                                {'l', "categories"},       {'l', "categories_nodes"}};
    const auto* typed =
        std::find_if(std::begin(kTyped), std::end(kTyped), [name](const Typed& one) { return one.name == name; });
    return typed == std::end(kTyped) || below(64) == 0 ? '\0' : typed->marker;
}

void ModelMutator::write(std::string& out, std::string_view name, const JsonValue& value) {
    switch (value.kind) {
        case Kind::kText:
            out += 'S';
            write_size(out, value.text.size());
            out += value.text;
            return;
        case Kind::kPlain:
            if (value.text == "true" || value.text == "false" || value.text == "null") {
                out += value.text == "true" ? 'T' : value.text == "false" ? 'F' : 'Z';
            } else {
                const char marker =
                    is_integer(value.text) ? marker_for(std::strtoll(value.text.c_str(), nullptr, 10)) : "dD"[below(2)];
                out += marker;
                write_number(out, value.text, marker);
            }
            return;
        case Kind::kList: {
            out += '[';
            const char marker = common_marker(name, value);
            if (marker != 0) {
                out += '$';
                out += marker;
            }
            const bool counted = marker != 0 || below(2) == 0;
            if (counted) {
                out += '#';
                write_size(out, value.of.size());
            }
            for (const auto& [key, one] : value.of) {
                if (marker != 0)
                    write_number(out, one.text, marker);
                else
                    write(out, {}, one);
            }
            if (!counted) out += ']';
            return;
        }
        case Kind::kMap:
            out += '{';
            for (const auto& [key, one] : value.of) {
                write_size(out, key.size());
                out += key;
                write(out, key, one);
            }
            out += '}';
    }
}

}  // namespace nfstreamd::fuzz

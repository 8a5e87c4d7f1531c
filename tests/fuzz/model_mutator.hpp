// SPDX-License-Identifier: Apache-2.0
// Makes other models of a model in JSON: members and lists changed, a node or a
// tree more that is sound, and the same in UBJSON by markers of many kinds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace nfstreamd::fuzz {

struct JsonMember;

// JSON as it stands there: numbers and texts keep their own spelling, keys may come twice.
struct JsonValue {
    enum class Kind : std::uint8_t { kPlain, kText, kList, kMap };
    Kind kind = Kind::kPlain;
    std::string text;            // of kPlain and kText, without quotes
    std::vector<JsonMember> of;  // keys are empty in a list

    static std::optional<JsonValue> read(std::string_view json);
    std::string json() const;
    JsonValue* at(std::string_view key);
};
struct JsonMember {
    std::string key;
    JsonValue value;
};

class ModelMutator {
public:
    explicit ModelMutator(unsigned seed) : random_(seed) {}

    void mutate(JsonValue& model);
    std::string ubjson(const JsonValue& model);

private:
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
    JsonValue& any_value(JsonValue& from);
    void change(JsonValue& value, JsonValue& model);
    void change_text(JsonValue& value);
    void change_members(JsonValue& value, JsonValue& model);
    void grow_tree(JsonValue& model);
    void change_link(JsonValue& model);
    void name_classes(JsonValue& model);
    void add_tree(JsonValue& model);

    void write(std::string& out, std::string_view name, const JsonValue& value);
    void write_number(std::string& out, const std::string& text, char marker);
    void write_size(std::string& out, std::size_t size);
    char marker_for(std::int64_t number);
    char common_marker(std::string_view name, const JsonValue& list);

    std::minstd_rand random_;
};

}  // namespace nfstreamd::fuzz

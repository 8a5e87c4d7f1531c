// SPDX-License-Identifier: Apache-2.0
// Writes one JSON document, commas and quotes included. Begin and end must
// match; a value inside an object needs its key. For status and replies only.
#pragma once
#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_text.hpp"

namespace nfstreamd::daemon {

class JsonWriter {
public:
    JsonWriter& begin_object() { return begin('{'); }
    JsonWriter& end_object() { return end('}'); }
    JsonWriter& begin_array() { return begin('['); }
    JsonWriter& end_array() { return end(']'); }

    JsonWriter& key(std::string_view name) {
        comma();
        append_json_string(text_, name);
        text_ += ':';
        after_key_ = true;
        return *this;
    }
    JsonWriter& value(std::string_view text) {
        comma();
        append_json_string(text_, text);
        return *this;
    }
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
    JsonWriter& value(std::integral auto number) { return raw(std::to_string(number)); }

    JsonWriter& value(double number) { return raw(fmt::format("{}", number)); }  // finite

    template <class T>
    JsonWriter& member(std::string_view name, const T& member_value) {
        return key(name).value(member_value);
    }

    const std::string& text() const { return text_; }

private:
    JsonWriter& begin(char bracket) {
        comma();
        text_ += bracket;
        first_.push_back(true);
        return *this;
    }
    JsonWriter& end(char bracket) {
        text_ += bracket;
        first_.pop_back();
        return *this;
    }
    JsonWriter& raw(std::string_view written) {
        comma();
        text_ += written;
        return *this;
    }
    void comma() {
        if (after_key_) {
            after_key_ = false;
        } else if (!first_.empty()) {
            if (!first_.back()) text_ += ',';
            first_.back() = false;
        }
    }

    std::string text_;
    std::vector<bool> first_;  // per open bracket: nothing written yet
    bool after_key_ = false;
};

// What the control socket answers when it cannot do what was asked.
inline std::string error_json(std::string_view message) {
    JsonWriter json;
    json.begin_object().member("error", message).end_object();
    return json.text();
}

}  // namespace nfstreamd::daemon

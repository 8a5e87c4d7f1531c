// SPDX-License-Identifier: Apache-2.0
// Outcome of an operation that can fail for reasons an operator can fix.
// Same names as std::expected, so that C++23 can replace it with a using.
#pragma once
#include <string>
#include <utility>
#include <variant>

namespace nfstreamd {

enum class ErrorCode {
    kInvalidArgument,
    kNotFound,
    kPermission,
    kUnavailable,
    kBusy,  // slow, not broken: try again at once
    kIo,
    kInternal
};

struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;  // what failed and what to do, in operator's words
    std::string where;    // "nfstreamd.yaml:14:5", "eth0", "kafka[siem]"; may be empty

    std::string text() const { return where.empty() ? message : where + ": " + message; }
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& value() { return std::get<0>(state_); }
    const T& value() const { return std::get<0>(state_); }
    const Error& error() const { return std::get<1>(state_); }

private:
    std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status ok() {
    return std::monostate{};
}

}  // namespace nfstreamd

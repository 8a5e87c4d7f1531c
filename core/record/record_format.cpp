// SPDX-License-Identifier: Apache-2.0
// The format of records as octets, worked out when this is compiled.
#include <string_view>
#include <type_traits>

#include "core/record/record_codec.hpp"
#include "core/record/record_members.hpp"

namespace nfstreamd {
namespace {

// Of what the members do not show: the forms in record_codec.cpp, the meaning of a value.
constexpr std::uint64_t kFormat = 2;

// The names and types of all members as one number (FNV-1a).
class Format {
public:
    template <class... Members>
    constexpr void operator()(std::string_view names, const Members&... members) {
        mix(names);
        (describe(members), ...);
    }
    constexpr std::uint64_t value() const { return value_; }

private:
    constexpr void mix(std::string_view text) {
        for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        value_ = (value_ ^ 0xff) * 0x100000001b3;  // no octet of a name
    }
    template <class T>
    constexpr void describe(const T& member) {
        if constexpr (std::is_pointer_v<T>) {
            constexpr std::remove_pointer_t<T> kBlock{};
            mix("block");
            visit_members(*this, kBlock);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
            mix("text");
        } else if constexpr (std::is_same_v<T, std::span<const std::int32_t>>) {
            mix("list");
        } else if constexpr (std::is_same_v<T, std::span<const DeclaredValue>>) {
            mix("declared");
        } else if constexpr (std::is_same_v<T, IpAddress>) {
            mix("address");
        } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, MacAddress>) {
            const char type[] = {std::is_enum_v<T>             ? 'e'
                                 : std::is_floating_point_v<T> ? 'f'
                                 : std::is_signed_v<T>         ? 's'
                                 : std::is_same_v<T, bool>     ? 'b'
                                                               : 'u',
                                 static_cast<char>(sizeof(T))};
            mix({type, sizeof type});
        } else if constexpr (std::is_array_v<T>) {
            for (const auto& element : member) describe(element);
        } else {
            visit_members(*this, member);
        }
    }

    std::uint64_t value_ = 0xcbf29ce484222325 ^ kFormat;
};

constexpr std::uint64_t format() {
    constexpr FlowRecord kRecord{};
    Format format;
    visit_members(format, kRecord);
    return format.value();
}

}  // namespace

std::uint64_t record_format() noexcept {
    static constexpr std::uint64_t kValue = format();
    return kValue;
}

}  // namespace nfstreamd

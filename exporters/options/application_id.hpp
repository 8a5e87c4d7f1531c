// SPDX-License-Identifier: Apache-2.0
// applicationId (IE 95, RFC 6759) of nDPI's protocol ids, in the forms that
// collectors read. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nfstreamd::exporters {

enum class ApplicationIdForm : std::uint8_t {
    kPanaL7Pen,  // 8 octets: PANA-L7-PEN (20), ntop's enterprise number, 3 octets of the id
    kUser4,      // USER-Defined (6), 3 octets
    kUser5,      // USER-Defined (6), 4 octets: nfacctd, which reads 2, 3 or 5
};

constexpr std::uint16_t application_id_length(ApplicationIdForm form) noexcept {
    return form == ApplicationIdForm::kPanaL7Pen ? 8 : form == ApplicationIdForm::kUser4 ? 4 : 5;
}

constexpr ApplicationIdForm application_id_form(std::uint16_t length) noexcept {
    return length == 8   ? ApplicationIdForm::kPanaL7Pen
           : length == 4 ? ApplicationIdForm::kUser4
                         : ApplicationIdForm::kUser5;
}

// Writes application_id_length() octets. What does not fit is 0, which is Unknown.
inline void put_application_id(std::uint64_t id, ApplicationIdForm form, std::uint8_t* out) noexcept {
    constexpr std::uint8_t kUserDefined = 6, kPanaL7Pen = 20;
    constexpr std::uint32_t kNtop = 35632;
    const bool pana = form == ApplicationIdForm::kPanaL7Pen;
    *out++ = pana ? kPanaL7Pen : kUserDefined;
    if (pana)
        for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<std::uint8_t>(kNtop >> shift);
    if (id > 0xff'ffff) id = 0;
    for (int shift = form == ApplicationIdForm::kUser5 ? 24 : 16; shift >= 0; shift -= 8)
        *out++ = static_cast<std::uint8_t>(id >> shift);
}

inline std::vector<std::uint8_t> application_id(std::uint64_t id, ApplicationIdForm form) {
    std::vector<std::uint8_t> out(application_id_length(form));
    put_application_id(id, form, out.data());
    return out;
}

inline constexpr std::string_view kApplicationIdForms = "pana_l7_pen user4 user5";  // choices of a setting
constexpr std::optional<ApplicationIdForm> application_id_form(std::string_view name) noexcept {
    if (name == "pana_l7_pen") return ApplicationIdForm::kPanaL7Pen;
    if (name == "user4") return ApplicationIdForm::kUser4;
    if (name == "user5") return ApplicationIdForm::kUser5;
    return std::nullopt;
}

}  // namespace nfstreamd::exporters

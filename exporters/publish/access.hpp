// SPDX-License-Identifier: Apache-2.0
// The settings of who may enter: TLS files and credentials, the same in all types
// that have them. Free functions, any thread.
#pragma once
#include <array>

#include "exporters/text_format.hpp"

namespace nfstreamd::exporters {

inline constexpr std::array kTlsSettings{
    config::SettingSpec{.name = "tls.ca",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "PEM file of the authorities whose certificates are trusted, instead of the "
                                       "system's."},
    config::SettingSpec{.name = "tls.certificate",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "PEM file of the probe's own certificate, where it must show one."},
    config::SettingSpec{.name = "tls.key",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "PEM file of the key of that certificate."},
};

inline constexpr std::array kPasswordSettings{
    config::SettingSpec{.name = "user",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "User name, where one is asked for."},
    config::SettingSpec{.name = "password",
                        .type = config::SettingType::kSecret,
                        .default_value = "",
                        .description = "Password of that user; `!file PATH` reads it from a file."},
};

// What belongs together is given together. `encrypted` false: TLS files have no meaning.
Status check_tls(const config::Settings& settings, bool encrypted, std::string_view how_to_encrypt);
Status check_password(const config::Settings& settings);

}  // namespace nfstreamd::exporters

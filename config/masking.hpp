// SPDX-License-Identifier: Apache-2.0
// Secrets that stand where a table of settings cannot know them, in URLs and in
// headers of HTTP, taken out of what is shown. Pure.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd::config {

inline constexpr std::string_view kMask = "********";

// Of each URL in the text the password of its user, and what its query calls a secret.
std::string without_url_secrets(std::string_view text);

// Of "Name: value" the value, if the name is that of a secret.
std::string without_header_secret(std::string text);

}  // namespace nfstreamd::config

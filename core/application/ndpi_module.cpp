// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_module.hpp"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <utility>

#include "core/application/ndpi_compat.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kLongestName = 39, kLongestCategory = 24;  // nfstream's columns

std::mutex& module_mutex() {
    static std::mutex mutex;
    return mutex;
}

Error unreadable(const std::string& path) {
    return {ErrorCode::kUnavailable, "nDPI cannot read it", path};
}

}  // namespace

Result<std::unique_ptr<NdpiModule>> NdpiModule::create(const NdpiFiles& files) {
    if (ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(ndpi::Flow) ||
        ndpi_get_api_version() != NDPI_API_VERSION)
        return Error{ErrorCode::kInternal,
                     fmt::format("the nDPI library ({}) is not the one nfstreamd was built with; install that one or "
                                 "rebuild",
                                 ndpi_revision()),
                     "nDPI"};
    const std::lock_guard lock(module_mutex());
    ndpi::Module* raw = ndpi::new_module();
    if (raw == nullptr) return Error{ErrorCode::kUnavailable, "cannot create a detection module", "nDPI"};
    const auto discard = [raw](Error error) -> Result<std::unique_ptr<NdpiModule>> {
        ndpi_exit_detection_module(raw);
        return error;
    };
    if (!files.protocols.empty() && !ndpi::load_protocols(raw, files.protocols.c_str()))
        return discard(unreadable(files.protocols));
    if (!files.categories.empty() && !ndpi::load_categories(raw, files.categories.c_str()))
        return discard(unreadable(files.categories));
    ndpi_finalize_initialization(raw);
    return std::unique_ptr<NdpiModule>(new NdpiModule(raw));
}

NdpiModule::~NdpiModule() {
    if (module_ == nullptr) return;
    const std::lock_guard lock(module_mutex());
    ndpi_exit_detection_module(module_);
}

bool NdpiModule::try_free(std::unique_ptr<NdpiModule>& module) {
    const std::unique_lock lock(module_mutex(), std::try_to_lock);
    if (!lock) return false;
    ndpi_exit_detection_module(std::exchange(module->module_, nullptr));
    module.reset();
    return true;
}

const std::string& NdpiModule::application_name(std::uint16_t master, std::uint16_t app) {
    std::string& text = names_[std::uint32_t{master} << 16 | app];
    if (text.empty()) {
        ndpi::append_name(module_, {master, app}, text);
        if (text.size() > kLongestName) text.resize(kLongestName);
    }
    return text;
}

std::string_view NdpiModule::category_name(std::uint16_t category) const {
    const char* text = ndpi_category_get_name(module_, static_cast<ndpi_protocol_category_t>(category));
    return text == nullptr ? std::string_view{} : std::string_view(text, strnlen(text, kLongestCategory));
}

}  // namespace nfstreamd

// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/application/ndpi_compat.hpp"
#include "core/application/ndpi_rules.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kLongestName = 39, kLongestCategory = 24;  // nfstream's columns

std::mutex& module_mutex() {
    static std::mutex mutex;
    return mutex;
}

// The files are looked at here, too, as they may have changed since anybody did.
Status load_protocols(ndpi::Module* module, const std::string& path) {
    const RuleFile rules = read_protocols_file(path);
    if (!rules.problems.empty()) return rules.problems.front();
    const auto is_own = [&](const std::string& name) { return !ndpi::knows_protocol(module, name); };
    const auto own = std::count_if(rules.protocols.begin(), rules.protocols.end(), is_own);
    if (static_cast<std::size_t>(own) > ndpi::kMostOwnProtocols)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} protocols are not nDPI's, which has room for {}", own, ndpi::kMostOwnProtocols),
                     path};
    if (!ndpi::load_protocols(module, path.c_str())) return Error{ErrorCode::kIo, "nDPI cannot read it", path};
    return ok();
}

Status load_categories(ndpi::Module* module, const std::string& path) {
    const RuleFile rules = read_categories_file(path);
    if (!rules.problems.empty()) return rules.problems.front();
    if (!ndpi::load_categories(module, path.c_str())) return Error{ErrorCode::kIo, "nDPI cannot read it", path};
    return ok();
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
    Status loaded = files.protocols.empty() ? ok() : load_protocols(raw, files.protocols);
    if (loaded && !files.categories.empty()) loaded = load_categories(raw, files.categories);
    if (!loaded) {
        ndpi_exit_detection_module(raw);
        return loaded.error();
    }
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

ApplicationList NdpiModule::applications() const {
    ApplicationList list;
    for (unsigned id = 0; id < ndpi_get_num_supported_protocols(module_); ++id) {
        const auto number = static_cast<std::uint16_t>(id);
        ApplicationInfo info{number, {}, {}, std::string(category_name(ndpi::category_of(module_, number)))};
        ndpi::append_name(module_, {0, number}, info.name);
        if (info.name.empty()) continue;
        if (info.name.size() > kLongestName) info.name.resize(kLongestName);
        info.description = fmt::format("{}, {}", info.category, ndpi::breed_name(module_, number));
        list.push_back(std::move(info));
    }
    return list;
}

std::string_view NdpiModule::category_name(std::uint16_t category) const {
    const char* text = ndpi_category_get_name(module_, static_cast<ndpi_protocol_category_t>(category));
    return text == nullptr ? std::string_view{} : std::string_view(text, strnlen(text, kLongestCategory));
}

}  // namespace nfstreamd

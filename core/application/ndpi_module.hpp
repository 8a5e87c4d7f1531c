// SPDX-License-Identifier: Apache-2.0
// One detection module of nDPI, with the operator's rules in it. May be made in
// any thread; is then used by one. The library must not make or free two at
// once, which is seen to here.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/application/dissector_options.hpp"
#include "core/application/ndpi_dispatch.hpp"
#include "core/base/result.hpp"
#include "core/record/process_facts.hpp"

struct ndpi_detection_module_struct;

namespace nfstreamd {

class NdpiModule {
public:
    static Result<std::unique_ptr<NdpiModule>> create(const NdpiFiles& files);
    ~NdpiModule();
    NdpiModule(const NdpiModule&) = delete;
    NdpiModule& operator=(const NdpiModule&) = delete;

    // Frees it unless another thread makes or frees one right now: such work
    // may take long, and a metering thread does not wait. True: freed.
    static bool try_free(std::unique_ptr<NdpiModule>& module);

    ndpi_detection_module_struct* get() const noexcept { return module_; }
    const NdpiDispatch* dispatch() const noexcept { return dispatch_.get(); }  // may be null

    // By nDPI's ids, which mean something within this module only.
    const std::string& application_name(std::uint16_t master, std::uint16_t app);
    std::string_view category_name(std::uint16_t category) const;
    // Every protocol by its own id, the operator's too.
    ApplicationList applications() const;

private:
    explicit NdpiModule(ndpi_detection_module_struct* module)
        : module_(module), dispatch_(NdpiDispatch::create(module)) {}

    ndpi_detection_module_struct* module_;
    const std::unique_ptr<const NdpiDispatch> dispatch_;
    std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace nfstreamd

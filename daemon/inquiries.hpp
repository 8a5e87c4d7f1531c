// SPDX-License-Identifier: Apache-2.0
// Commands of the control socket that meters and exporters have to answer:
// asked at once, looked after until they have, answered in a bounded time, with
// what has come by then. Control thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/metering/table_inquiry.hpp"
#include "daemon/flow_request.hpp"
#include "daemon/pipeline.hpp"

namespace nfstreamd::daemon {

class Inquiries {
public:
    using Reply = std::function<void(std::string json)>;

    Inquiries(boost::asio::io_context& context, Pipeline& pipeline) : timer_(context), pipeline_(pipeline) {}

    void flows(const FlowRequest& request, const FieldGroups& groups, Reply reply);
    // Rates of talkers and applications since the look before. Who asks soon after
    // another one gets the same answer.
    void activity(Reply reply);
    // `name` empty: all exporters; else that one, those of its several collectors included.
    void resend_templates(const std::string& name, Reply reply);
    void stop();  // who waits gets what there is

    static constexpr std::size_t kMostAtOnce = 4;  // questions about flows under way

private:
    using Clock = std::chrono::steady_clock;
    struct Pending {
        Clock::time_point cancel_at, give_up_at;
        std::function<bool()> done;
        std::function<void()> cancel;  // ask for what there is
        std::function<void()> answer;
        bool cancelled = false;
    };

    void wait_for(std::chrono::milliseconds patience, std::function<bool()> done, std::function<void()> cancel,
                  std::function<void()> answer);
    void look();
    void look_later();
    void answer_activity(const std::vector<std::shared_ptr<FlowActivity>>& asked);

    boost::asio::steady_timer timer_;
    Pipeline& pipeline_;
    std::list<Pending> pending_;
    std::size_t flow_questions_ = 0;
    std::vector<Reply> want_activity_;
    std::string last_activity_;
    Clock::time_point last_activity_at_{};
};

}  // namespace nfstreamd::daemon

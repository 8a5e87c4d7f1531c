# SPDX-License-Identifier: Apache-2.0
# Tries what a process of the service must not be able to do, and what it must, and says of each how it ended: "NAME ok"
# or "NAME ERRNO". With a file of names only those are tried: some attempts must not succeed anywhere. Perl is in every Debian.
use strict;
use warnings;
use Config;
use Errno ();
use Fcntl;
use Socket;

$| = 1;
my ($state, $logs, $names) = @ARGV;
my %chosen;
if (defined $names) {
    open(my $list, '<', $names) or die;
    chomp(my @lines = <$list>);
    %chosen = map { $_ => 1 } @lines;
}
sub wanted { return !defined $names || $chosen{$_[0]} }
my %number = $Config{archname} =~ /^x86_64/
    ? (ptrace => 101, personality => 135, pivot_root => 155, adjtimex => 159, chroot => 161, acct => 163, settimeofday => 164,
       mount => 165, umount2 => 166, swapon => 167, reboot => 169, sethostname => 170, iopl => 172, ioperm => 173,
       init_module => 175, delete_module => 176, syslog => 103, setuid => 105, setgid => 106, setns => 308, unshare => 272,
       kexec_load => 246, add_key => 248, keyctl => 250, perf_event_open => 298, process_vm_readv => 310, process_vm_writev => 311,
       finit_module => 313, bpf => 321, userfaultfd => 323, clock_settime => 227, sched_setscheduler => 144, mmap => 9,
       mprotect => 10, setrlimit => 160, prctl => 157, mknod => 133, open_by_handle_at => 304, quotactl => 179, chown => 92)
    : (ptrace => 117, personality => 92, pivot_root => 41, adjtimex => 171, chroot => 51, acct => 89, settimeofday => 170,
       mount => 40, umount2 => 39, swapon => 224, reboot => 142, sethostname => 161, init_module => 105, delete_module => 106,
       syslog => 116, setuid => 146, setgid => 144, setns => 268, unshare => 97, kexec_load => 104, add_key => 217, keyctl => 219,
       perf_event_open => 241, process_vm_readv => 270, process_vm_writev => 271, finit_module => 273, bpf => 280,
       userfaultfd => 282, clock_settime => 112, sched_setscheduler => 119, mmap => 222, mprotect => 226, setrlimit => 164,
       prctl => 167, open_by_handle_at => 265, quotactl => 60);
my %name = map { Errno->can($_)->() => $_ } grep { /^E[A-Z0-9]+$/ } @Errno::EXPORT_OK;

sub report {
    my ($what, $done, $error) = @_;
    return unless wanted($what);
    printf "%s %s\n", $what, $done ? 'ok' : $name{$error + 0} // $error + 0;
}
sub call {
    my ($what, $call, @arguments) = @_;
    return unless defined $number{$call} && wanted($what);
    local $! = 0;
    my $result = syscall($number{$call}, @arguments);
    report($what, $result != -1, $!);
}
sub file {
    my ($what, $path, $flags) = @_;
    return unless wanted($what);
    local $! = 0;
    my $done = sysopen(my $handle, $path, $flags // O_WRONLY | O_CREAT, 0600);
    my $error = $!;
    if ($done) {
        close $handle;
        unlink $path if $path =~ /nfstreamd-attempt$/;
    }
    report($what, $done, $error);
}

# ---- what it must be able to do ----
file('write its state', "$state/nfstreamd-attempt");
file('write its logs', "$logs/nfstreamd-attempt");
file('write its own /tmp', '/tmp/nfstreamd-attempt');
report('packet socket', socket(my $packets, 17, SOCK_RAW, 0), $!);
report('udp socket', socket(my $udp, AF_INET, SOCK_DGRAM, 0), $!);
report('netlink socket', socket(my $netlink, 16, SOCK_RAW, 0), $!);
report('read its configuration', opendir(my $configuration, '/etc/nfstreamd'), $!);

# ---- files ----
file("write $_", "$_/nfstreamd-attempt") for qw(/ /etc /etc/nfstreamd /usr /usr/bin /var /var/lib /var/log /boot /root /home /run /opt);
file('change the kernel\'s settings', '/proc/sys/kernel/core_pattern', O_WRONLY);
file('change control groups', "/sys/fs/cgroup/nfstreamd-attempt");
file('read passwords', '/etc/shadow', O_RDONLY);
file('read memory of the kernel', '/dev/mem', O_RDONLY);
file('read the log of the kernel', '/dev/kmsg', O_RDONLY);
file('read a disk', '/dev/sda', O_RDONLY);
file('see process 1', '/proc/1/status', O_RDONLY);
{
    sysopen(my $own, "$state/nfstreamd-attempt", O_WRONLY | O_CREAT, 0700);
    my $done = chmod(04755, "$state/nfstreamd-attempt");
    report('make a file setuid', $done, $!);
    unlink "$state/nfstreamd-attempt";
}
call('make a device', 'mknod', "$state/nfstreamd-device", 020600, 0x0101);

# ---- other processes, other users ----
call('trace another process', 'ptrace', 0x4206, 1, 0, 0);  # PTRACE_SEIZE: it goes on
if (wanted('read another process')) {
    my $octets = "\0" x 8;
    my $vector = pack('pQ', $octets, 8);
    call('read another process', 'process_vm_readv', 1, $vector, 1, $vector, 1, 0);
    call('write to another process', 'process_vm_writev', 1, $vector, 1, pack('QQ', 1, 8), 1, 0);
}
report('signal process 1', kill(0, 1), $!);
call('become root', 'setuid', 0);
call('become group root', 'setgid', 0);
{
    my $who = `/bin/su -c 'id -u' root </dev/null 2>&1`;
    report('run a shell as root by su', scalar($who =~ /^0$/m), Errno::EPERM());
}
call('a namespace of users', 'unshare', 0x10000000);
call('a namespace of networks', 'unshare', 0x40000000);
call('a namespace of mounts', 'unshare', 0x00020000);
if (my $child = fork) {
    waitpid($child, 0);
} else {
    call('another root', 'chroot', '/tmp');
    exit;
}
call('pivot the root', 'pivot_root', '/tmp', '/tmp');
call('mount', 'mount', 'none', '/tmp', 'tmpfs', 0, 0);
call('unmount', 'umount2', '/tmp', 2);
call('open by handle', 'open_by_handle_at', -1, 0, 0);

# ---- the kernel ----
call('load a module', 'init_module', 0, 0, '');
call('load a module from a file', 'finit_module', 0, '', 0);
call('remove a module', 'delete_module', 'nothing', 0);
call('raw ports', 'iopl', 3);
call('ports', 'ioperm', 0x80, 1, 1);
call('load a kernel', 'kexec_load', 0, 0, 0, 0);
call('reboot', 'reboot', 0, 0, 0, 0);
call('swap', 'swapon', '/tmp', 0);
call('accounting', 'acct', 0);
call('the log of the kernel', 'syslog', 3, '', 0);
call('set the clock', 'settimeofday', pack('qq', 1, 0), 0);
call('set a clock', 'clock_settime', 0, pack('qq', 1, 0));
call('the host name', 'sethostname', 'attempt', 7);
call('keys', 'add_key', 'user', 'a', 'b', 1, -3);
call('bpf', 'bpf', 0, 0, 0);
call('performance events', 'perf_event_open', pack('x120'), 0, -1, -1, 0);
call('page faults', 'userfaultfd', 0);
call('quotas', 'quotactl', 0, 0, 0, 0);
call('realtime', 'sched_setscheduler', 0, 1, pack('i', 1));
call('personality', 'personality', 8);
call('more resources', 'setrlimit', 7, pack('QQ', 1 << 30, 1 << 30));
call('memory to write and run', 'mmap', 0, 4096, 7, 0x22, -1, 0);
report('a socket of another family', socket(my $other, 40, SOCK_STREAM, 0), $!);  # AF_VSOCK
report('a bluetooth socket', socket(my $bluetooth, 31, SOCK_RAW, 0), $!);

# ---- what the kernel says of it ----
open(my $status, '<', '/proc/self/status') or die;
while (<$status>) { print "$1 is $2\n" if /^(NoNewPrivs|Seccomp|CapEff|CapBnd|CapAmb):\s*(\S+)/ }
open(my $limits, '<', '/proc/self/limits') or die;
while (<$limits>) { print "core is $1 $2\n" if /^Max core file size\s+(\S+)\s+(\S+)/ }

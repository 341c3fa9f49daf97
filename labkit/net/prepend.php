<?php
/**
 * What PHP runs before the script of a learner: any host but loopback is the lab.
 *
 *     http://example.com/path     the lab answers; the request names example.com
 *     http://127.0.0.1:8080/      goes where it says; so do localhost and [::1]
 *
 * The script calls these functions in place of PHP's own of the same name; rewrite.php has changed its words.
 * Their parameters are PHP's own, so that named arguments and strict types mean the same.
 */

namespace labkit;

/** The lab's host and port, as `php -d labkit.address=…` gave them. */
function address(): string
{
    return \get_cfg_var('labkit.address');
}

/** Tell whether a host is left as it is. */
function stays(string $host): bool
{
    return \in_array(\strtolower($host), ['127.0.0.1', 'localhost', '[::1]'], true);
}

/** Return "tcp://host:port" with the lab in the place of the host; what is no TCP stays. */
function placed(string $address): string
{
    $parts = '~^((?!udp:|udg:|unix:)[a-z0-9.]+://)?(\[[^]]+\]|[^]:/[]+):\d+(.*)$~is';
    return \preg_match($parts, $address, $found) && !stays($found[2])
        ? $found[1] . address() . $found[3]
        : $address;
}

/** Give a handle its way: HOST:PORT:TO_HOST:TO_PORT, the first that fits (libcurl, CURLOPT_CONNECT_TO). */
function led(\CurlHandle $handle): void
{
    \curl_setopt($handle, \CURLOPT_CONNECT_TO, [
        '127.0.0.1::127.0.0.1:',
        'localhost::localhost:',
        '[::1]::[::1]:',
        '::' . address(),
    ]);
    \curl_setopt($handle, \CURLOPT_PROTOCOLS, 1 | 2 | 1 << 30 | 1 << 31);  // http, https, ws, wss: the lab has no other
}

function curl_init(?string $url = null): \CurlHandle|false
{
    $handle = \curl_init($url);
    if ($handle !== false) {
        led($handle);
    }
    return $handle;
}

function curl_reset(\CurlHandle $handle): void
{
    \curl_reset($handle);
    led($handle);
}

function stream_socket_client(
    string $address,
    &$error_code = null,
    &$error_message = null,
    ?float $timeout = null,
    int $flags = \STREAM_CLIENT_CONNECT,
    $context = null
) {
    return \stream_socket_client(placed($address), $error_code, $error_message, $timeout, $flags, $context);
}

function fsockopen(
    string $hostname,
    int $port = -1,
    &$error_code = null,
    &$error_message = null,
    ?float $timeout = null
) {
    $asked = $port > 0 ? "$hostname:$port" : $hostname;
    if (placed($asked) !== $asked) {
        [$hostname, $port] = [placed($asked), -1];
    }
    return \fsockopen($hostname, $port, $error_code, $error_message, $timeout);
}

/** PHP's own http:// goes through what it takes for a proxy; the request stays the one for a server. */
function options(): array
{
    return ['proxy' => 'tcp://' . address(), 'request_fulluri' => false];
}

function stream_context_create(?array $options = null, ?array $params = null)
{
    $options['http'] = ($options['http'] ?? []) + options();
    return \stream_context_create($options, $params);
}

// Where the lab itself was ended from outside, nobody is left to end this script.
if (\function_exists('pcntl_alarm')) {
    \pcntl_alarm((int) \get_cfg_var('labkit.alarm'));
}

// A script may lift PHP's own limit of memory, and may write files; these it cannot lift.
if (\function_exists('posix_setrlimit')) {
    \posix_setrlimit(\POSIX_RLIMIT_AS, 1 << 30, 1 << 30);
    \posix_setrlimit(\POSIX_RLIMIT_FSIZE, 128 << 20, 128 << 20);
    \posix_setrlimit(\POSIX_RLIMIT_CORE, 0, 0);
}
\stream_context_set_default(['http' => options()]);

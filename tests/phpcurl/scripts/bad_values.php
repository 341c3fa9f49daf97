<?php
$said = [];
$ch = curl_init();
foreach ([[CURLOPT_TIMEOUT, -1], [CURLOPT_HTTP_VERSION, 99], [CURLOPT_TIMEOUT, 'abc'], [CURLOPT_MAXREDIRS, -2], [CURLOPT_URL, true], [CURLOPT_PORT, 70000], [CURLOPT_SSL_VERIFYHOST, 2], [CURLOPT_PRIVATE, 'mine']] as [$option, $value]) {
    $said[] = [curl_setopt($ch, $option, $value), curl_errno($ch)];
}
foreach ([[999999, 1], [CURLOPT_HTTPHEADER, 'x'], [CURLOPT_URL, "a\0b"], [CURLOPT_FILE, 'abc'], [CURLOPT_SAFE_UPLOAD, false]] as [$option, $value]) {
    try {
        curl_setopt($ch, $option, $value);
    } catch (Error $error) {
        $said[] = $error->getMessage();
    }
}
foreach ([[999999 => 1], ['x' => 1]] as $options) {
    try {
        curl_setopt_array($ch, $options);
    } catch (Error $error) {
        $said[] = $error->getMessage();
    }
}
try {
    curl_exec('x');
} catch (Error $error) {
    $said[] = $error->getMessage();
}
echo json_encode(['said' => $said, 'private' => curl_getinfo($ch, CURLINFO_PRIVATE)]);

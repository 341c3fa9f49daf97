<?php
$ch = curl_init('http://example.com/path?a=b');
$before = curl_getinfo($ch);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLINFO_HEADER_OUT, true);
curl_exec($ch);
$after = curl_getinfo($ch);
$stable = [];
foreach (['url', 'content_type', 'http_code', 'header_size', 'request_size', 'filetime', 'redirect_count', 'size_upload', 'size_download', 'download_content_length', 'redirect_url', 'primary_ip', 'certinfo', 'local_ip', 'http_version', 'protocol', 'effective_method', 'request_header'] as $key) {
    $stable[$key] = $after[$key];
}
echo json_encode(['before' => array_keys($before), 'after' => array_keys($after), 'stable' => $stable, 'scheme' => $after['scheme'], 'upload' => $after['upload_content_length'], 'empty' => [$before['content_type'], $before['certinfo'], $before['scheme'], $before['url']], 'asked' => [curl_getinfo($ch, CURLINFO_HEADER_OUT), curl_getinfo($ch, 12345), curl_getinfo($ch, CURLINFO_COOKIELIST)]]);

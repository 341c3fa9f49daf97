<?php
$lines = [];
$ch = curl_init('http://example.com/one');
curl_setopt($ch, CURLOPT_HTTPHEADER, ['X-One: 1']);
curl_setopt($ch, CURLOPT_POSTFIELDS, 'a=b');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HEADERFUNCTION, function ($ch, $line) use (&$lines) { $lines[] = $line; return strlen($line); });
$copy = curl_copy_handle($ch);
curl_setopt($ch, CURLOPT_URL, 'http://example.com/two');
$first = curl_exec($copy);
$heads = count($lines);
$second = curl_exec($ch);
echo json_encode(['first' => $first, 'second' => $second, 'heads' => $heads, 'lines' => $lines, 'url' => curl_getinfo($copy, CURLINFO_EFFECTIVE_URL)]);

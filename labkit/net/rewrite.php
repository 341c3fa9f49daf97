<?php
/**
 * Change the words of a script that would leave the lab, by PHP's own tokenizer: `php rewrite.php script.php`.
 *
 *     curl_init(…)                →  \labkit\curl_init(…)              a call, in any namespace
 *     use function curl_init …;   →  use function labkit\curl_init …;
 *     array_map('curl_init', …)   →  array_map('labkit\curl_init', …)  a text that is just the word, where a value stands
 *
 * Methods, other texts and comments stay, and so does every line's number. A script with a syntax error is no
 * obstacle. Written to standard output, as JSON: what was changed, and what else the lab wants to know.
 */

if (!extension_loaded('tokenizer')) {
    exit('{"tokenizer": false}');
}

const WORDS = ['curl_init', 'curl_reset', 'stream_socket_client', 'fsockopen', 'stream_context_create'];
const SPACE = [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT];
const NAMES = [T_STRING, T_NAME_FULLY_QUALIFIED];
const MEMBER = [T_OBJECT_OPERATOR, T_NULLSAFE_OBJECT_OPERATOR, T_DOUBLE_COLON, T_FUNCTION, T_NEW, '&'];  // before it: no call
const VALUE = ['=', '(', ',', '?', ':', T_COALESCE, T_COALESCE_EQUAL, T_DOUBLE_ARROW, T_RETURN];  // before it: a value
const PART = ['.', ']', T_DOUBLE_ARROW];  // after it: a part of a text, a method's name, a key

/** Return the words that PHP's functions are called by, without the \ of the global namespace. */
function word(string $text): string
{
    return strtolower(ltrim($text, '\\'));
}

/** Return the nearest token before or after one, less spaces and comments. */
function near(array $tokens, int $place, int $step): ?PhpToken
{
    do {
        $place += $step;
    } while (isset($tokens[$place]) && $tokens[$place]->is(SPACE));
    return $tokens[$place] ?? null;
}

/** Return what to write in the place of a token. */
function changed(PhpToken $token, ?PhpToken $before, ?PhpToken $after, bool $import): string
{
    if ($token->is(NAMES) && in_array(word($token->text), WORDS, true)) {
        if ($import) {
            return $before->is(T_AS) ? $token->text : 'labkit\\' . word($token->text);
        }
        return $after?->is('(') && !$before?->is(MEMBER) ? '\\labkit\\' . word($token->text) : $token->text;
    }
    if ($token->is(T_CONSTANT_ENCAPSED_STRING) && in_array($word = word(substr($token->text, 1, -1)), WORDS, true)) {
        return $after?->is('(') || $before?->is(VALUE) && !$after?->is(PART) ? "'labkit\\$word'" : $token->text;
    }
    return $token->text;
}

$tokens = PhpToken::tokenize(file_get_contents($argv[1]));
$said = [
    'tokenizer' => true,
    'libcurl' => function_exists('curl_version') ? curl_version()['version'] : null,
    'curl' => false,  // whether the script calls any function of the extension
    'php' => false,  // whether there is any PHP in it
    'changed' => [],
];
$script = '';
$import = false;
foreach ($tokens as $place => $token) {
    if ($token->is(SPACE)) {
        $script .= $token->text;
        continue;
    }
    [$before, $after] = [near($tokens, $place, -1), near($tokens, $place, 1)];
    $import = $token->is(T_USE) ? (bool) $after?->is(T_FUNCTION) : $import && !$token->is(';');
    $now = changed($token, $before, $after, $import);
    if ($now !== $token->text) {
        $said['changed'][] = [$token->line, $token->text, $now];
    }
    $said['php'] = $said['php'] || $token->is([T_OPEN_TAG, T_OPEN_TAG_WITH_ECHO]);
    $said['curl'] = $said['curl'] || $token->is(NAMES) && str_starts_with(word($token->text), 'curl_')
        && $after?->is('(') && !$before?->is(MEMBER);
    $script .= $now;
}
file_put_contents($argv[1], $script);
echo json_encode($said, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);

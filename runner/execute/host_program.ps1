# Carries a command out on a Windows host, and finds out what became of it (host_program.rs).
# A marker is a file that is created, which fails where it exists: that is the start.

function Read-Ams([string] $text) {
  [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($text))
}

function Find-AmsMarker([string] $name) {
  foreach ($place in $amsPlaces) {
    $file = Join-Path $place $name
    if (Test-Path -LiteralPath $file) { return $file }
  }
}

function New-AmsMarker([string] $name, [string] $text) {
  foreach ($place in $amsPlaces) {
    try {
      [void] [IO.Directory]::CreateDirectory($place)
      $file = Join-Path $place $name
      $stream = [IO.File]::Open($file, [IO.FileMode]::CreateNew)
      try {
        $bytes = [Text.Encoding]::ASCII.GetBytes($text)
        $stream.Write($bytes, 0, $bytes.Length)
      } finally { $stream.Dispose() }
      return $file
    } catch {
      if (Find-AmsMarker $name) { return }
    }
  }
}

# Begins the change $name, not after $last. Whoever comes second, or late, changes nothing.
function Start-AmsChange([string] $name, [long] $last) {
  $now = [long] ([DateTime]::UtcNow - [DateTime] '1970-01-01').TotalSeconds
  if ($now -gt $last) { exit 96 }
  if (Find-AmsMarker $name) { exit 97 }
  $me = Get-Process -Id $PID
  $file = New-AmsMarker $name ('{0} {1}' -f $PID, $me.StartTime.Ticks)
  if (-not $file) {
    if (Find-AmsMarker $name) { exit 97 }
    exit 98
  }
  $file
}

function Write-AmsRecord([string] $marker, [int] $code) {
  try {
    [IO.File]::WriteAllText("$marker.new", "EXIT $code")
    [IO.File]::Move("$marker.new", "$marker.exit")
  } catch { }
}

function Invoke-Ams([string] $name, [long] $last, [string] $nonce) {
  $utf8 = New-Object Text.UTF8Encoding $false
  [Console]::OutputEncoding = $utf8
  $marker = $null
  if ($name) { $marker = Start-AmsChange $name $last }
  [Console]::Out.WriteLine("AMS-BEGIN $nonce")
  Set-AmsValues
  $global:LASTEXITCODE = 0
  try { Invoke-AmsCommand } catch {
    [Console]::Error.WriteLine($_)
    $global:LASTEXITCODE = 127
  }
  $code = $global:LASTEXITCODE
  if ($marker) { Write-AmsRecord $marker $code }
  # The agent would restart the host and run it all again.
  if ($code -eq 3010) {
    [Console]::Error.WriteLine("AMS-EXIT $nonce $code")
    exit 1
  }
  exit $code
}

# Windows PowerShell takes a file without a mark at its start for the machine's old code page.
function Invoke-AmsScript([string] $text) {
  $file = Join-Path ([IO.Path]::GetTempPath()) ('ams-' + [Guid]::NewGuid().ToString('N') + '.ps1')
  [IO.File]::WriteAllText($file, (Read-Ams $text), (New-Object Text.UTF8Encoding $true))
  try {
    & powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $file
  } finally { Remove-Item -LiteralPath $file -Force -ErrorAction SilentlyContinue }
}

function Get-AmsState([string] $marker) {
  if (Test-Path -LiteralPath "$marker.exit") { return [IO.File]::ReadAllText("$marker.exit") }
  $words = [IO.File]::ReadAllText($marker) -split ' '
  if ($words[0] -eq 'FENCED') { return 'FENCED' }
  $process = Get-Process -Id $words[0] -ErrorAction SilentlyContinue
  if ($process -and $process.StartTime.Ticks -eq $words[1]) { return 'RUNNING' }
  # It may have ended since we looked for its record.
  if (Test-Path -LiteralPath "$marker.exit") { return [IO.File]::ReadAllText("$marker.exit") }
  'LOST'
}

function Invoke-AmsProbe([string] $nonce, [int] $attempt) {
  if ($attempt -eq 0) {
    $attempt = 1
    while ($attempt -lt 1000 -and (Find-AmsMarker "ams-$nonce-$($attempt + 1)")) { $attempt++ }
  }
  $name = "ams-$nonce-$attempt"
  $marker = Find-AmsMarker $name
  if (-not $marker) { $marker = New-AmsMarker $name 'FENCED' }
  if (-not $marker) { $marker = Find-AmsMarker $name }
  $state = 'NOROOM'
  if ($marker) { $state = Get-AmsState $marker }
  [Console]::Out.WriteLine("AMS-PROBE $nonce $attempt $state")
  exit 0
}

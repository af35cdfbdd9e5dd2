// Writes an image to block devices with etcher-sdk, verifies them, and prints what it took.
//
//   node flash.js IMAGE NODE...
'use strict';

const fs = require('fs');

// Etcher unmounts what it writes to, and finds it by the beginning of its name: /dev/loop1 is also
// the beginning of /dev/loop10. The devices here are never mounted.
require('etcher-sdk/build/lazy').getUnmountDisk = () => async () => {};
// Not the whole package, whose scanner of drives is another native module to be built.
const multiWrite = require('etcher-sdk/build/multi-write');
const sourceDestination = require('etcher-sdk/build/source-destination');

function destination(node, size) {
  return new sourceDestination.BlockDevice({
    drive: { raw: node, device: node, size, blockSize: 512, isReadOnly: false, isSystem: false },
    write: true,
    direct: true,
  });
}

function processorSeconds() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return (userCPUTime + systemCPUTime) / 1e6;
}

async function main([image, ...nodes]) {
  const { size } = fs.statSync(image);
  const failures = [];
  let verified = false;
  const began = performance.now();
  const beganProcessor = processorSeconds();
  await multiWrite.pipeSourceToDestinations({
    source: new sourceDestination.File({ path: image }),
    destinations: nodes.map((node) => destination(node, size)),
    verify: true,
    onFail: (failed, error) => failures.push(`${failed.drive.raw}: ${error.message}`),
    onProgress: ({ type }) => { verified ||= type === 'verifying'; },
  });
  if (failures.length > 0 || !verified) {
    throw new Error(failures.join('; ') || 'nothing was verified');
  }
  const cost = { total_s: (performance.now() - began) / 1e3, cpu_s: processorSeconds() - beganProcessor };
  console.log(JSON.stringify(cost));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
